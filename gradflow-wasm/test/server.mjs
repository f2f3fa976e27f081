// Starts the demo's own server on a free port, and stops it.

import { spawn } from "node:child_process";

export async function serve(server, folder) {
  const child = spawn(server, [folder, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise((resolve, reject) => {
    child.stdout.on("data", (text) => {
      const found = /http:\/\/[\d.:]+\//.exec(text);
      if (found) resolve(found[0]);
    });
    child.on("exit", (code) => reject(new Error(`the server ended with code ${code}`)));
    child.on("error", reject);
  });
  return { address, stop: () => child.kill() };
}
