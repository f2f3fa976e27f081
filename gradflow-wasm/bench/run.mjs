// Drives the benchmark's page and the demo page, and prints what they took beside their goals:
// BENCH and PAGE (folders), SERVER and BROWSER in the environment. A missed goal is a failure.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { serve } from "../test/server.mjs";

const { BENCH, PAGE, SERVER, BROWSER } = process.env;
const EPOCH = 60_000 / 64; // steps
const LOADS = 7;

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu"] });

/** Opens a folder in a page with nothing in its cache, and asks it something. */
async function visit(folder, ask) {
  const server = await serve(SERVER, folder);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(server.address);
    return await ask(page);
  } finally {
    await context.close();
    server.stop();
  }
}

async function race() {
  const result = await visit(BENCH, async (page) => {
    await page.waitForFunction(() => "result" in window);
    return page.evaluate(() => window.result);
  });
  if (result.error) throw new Error(result.error);
  return result;
}

const firstStep = () =>
  visit(PAGE, async (page) => {
    await page.waitForFunction(() => performance.getEntriesByName("first-step").length > 0);
    return page.evaluate(() => performance.getEntriesByName("first-step")[0].startTime);
  });

function code() {
  const files = readdirSync(PAGE).filter((file) => /\.(js|css|html|wasm)$/.test(file));
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(PAGE, file)), { level: 9 }).length, 0);
}

try {
  const { times, reach, version, backend } = await race();
  const loads = [];
  for (let load = 0; load < LOADS; load++) loads.push(await firstStep());

  console.log(`MNIST, 784-100-10, batch 64, Chromium ${browser.version()}, TensorFlow.js ${version} (${backend}, SIMD)\n`);
  console.log("                           ms a step   lowest   s an epoch");
  for (const [name, list] of Object.entries(times)) {
    const numbers = [median(list).toFixed(3), Math.min(...list).toFixed(3), ((median(list) * EPOCH) / 1000).toFixed(2)];
    console.log(name.padEnd(26) + numbers.map((text, i) => text.padStart([10, 9, 13][i])).join(""));
  }

  const peer = median(times["TensorFlow.js, SGD"]);
  const goals = ["SGD", "ExpSAV"].flatMap((method) => {
    const own = median(times[`gradflow, ${method}`]);
    return [
      { what: `a step of ${method}, ms`, value: own, most: 0.34 },
      { what: `an epoch of ${method}, s`, value: (own * EPOCH) / 1000, most: 0.35 },
      { what: `${method}, times as fast as TensorFlow.js`, value: peer / own, least: 20 },
    ];
  });
  goals.push(
    { what: "full IEQ to 1e-5, ms", value: median(reach), most: 100 },
    { what: "first step after the page's start, ms", value: median(loads), most: 300 },
    { what: "page, module and libraries, KB gzipped", value: code() / 1000, most: 150 },
  );
  console.log("\ngoal                                       measured   wanted");
  for (const { what, value, most, least } of goals) {
    const met = most === undefined ? value >= least : value <= most;
    if (!met) process.exitCode = 1;
    const wanted = most === undefined ? `≥ ${least}` : `≤ ${most}`;
    console.log(`${what.padEnd(42)} ${value.toPrecision(3).padStart(8)}   ${wanted.padEnd(7)}  ${met ? "met" : "MISSED"}`);
  }
} finally {
  await browser.close();
}
