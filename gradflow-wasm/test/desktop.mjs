// Runs on the desktop what the page's "copy as gradflow train" says.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { PAGE, GRADFLOW } = process.env;

/** The bytes of the weights that the command of this line leaves; images are those of the page. */
export function desktop(line) {
  const folder = mkdtempSync(join(tmpdir(), "gradflow-"));
  try {
    const [, ...words] = line.split(" ");
    const file = join(folder, "w.safetensors");
    const env = { ...process.env, MNIST_DIR: join(PAGE, "data/mnist") };
    execFileSync(GRADFLOW, [...words, "--save", file], { env, stdio: ["ignore", "ignore", "pipe"] });
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
