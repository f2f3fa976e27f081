// Drives the benchmark's page and prints its table: PAGE, SERVER and BROWSER in the environment.

import { chromium } from "playwright-core";
import { serve } from "../test/server.mjs";

const { PAGE, SERVER, BROWSER } = process.env;
const [MOST, FACTOR] = [0.34, 20]; // milliseconds a step; times as fast as TensorFlow.js
const EPOCH = 60_000 / 64;

const server = await serve(SERVER, PAGE);
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  await page.goto(server.address);
  await page.waitForFunction(() => "result" in window);
  const result = await page.evaluate(() => window.result);
  if (result.error) throw new Error(result.error);
  const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
  console.log(`MNIST, 784-100-10, batch 64, Chromium ${browser.version()}, TensorFlow.js ${result.version} (${result.backend}, SIMD)\n`);
  console.log("                     ms a step   lowest   s an epoch");
  for (const [name, list] of Object.entries(result.times)) {
    const numbers = [median(list).toFixed(3), Math.min(...list).toFixed(3), ((median(list) * EPOCH) / 1000).toFixed(2)];
    console.log(name.padEnd(20) + numbers.map((text, i) => text.padStart([10, 9, 13][i])).join(""));
  }
  const peer = median(result.times["TensorFlow.js SGD"]);
  let missed = false;
  console.log();
  for (const name of ["SGD", "ExpSAV"]) {
    const own = median(result.times[name]);
    const met = own <= MOST && peer / own >= FACTOR;
    missed ||= !met;
    console.log(`${name}: ${(peer / own).toFixed(0)} times as fast as TensorFlow.js; ${met ? "met" : "MISSED"}: at most ${MOST} ms and at least ${FACTOR} times`);
  }
  process.exitCode = missed ? 1 : 0;
} finally {
  await browser.close();
  server.stop();
}
