// The page in a real browser, used as a person would: node --test with PAGE (the built page),
// SERVER (the demo's server), BROWSER (Chromium), GRADFLOW (the desktop's command) and SHOTS (a
// folder for pictures to look at).

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { desktop } from "./desktop.mjs";
import { serve } from "./server.mjs";

const { PAGE, SERVER, BROWSER, SHOTS } = process.env;
const AXE = new URL("../node_modules/axe-core/axe.min.js", import.meta.url).pathname;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const CODE_LIMIT = 150_000; // bytes, gzipped, page, module and libraries together
const PATIENCE = 60_000; // milliseconds: only a page that hangs takes as long

let server;
let profile;
let context;
let page;
let troubles = [];

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  profile = mkdtempSync(join(tmpdir(), "gradflow-browser-"));
  server = await serve(SERVER, PAGE);
  context = await chromium.launchPersistentContext(profile, { executablePath: BROWSER, args: FLAGS, viewport: { width: 1440, height: 900 }, acceptDownloads: true, permissions: ["clipboard-read", "clipboard-write"] });
});
after(async () => {
  await context?.close();
  server?.stop();
  rmSync(profile, { recursive: true, force: true });
});
beforeEach(async () => {
  await page?.close();
  troubles = [];
  page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && `${origin}/` !== server.address) troubles.push(`a request left: ${request.url()}`);
  });
});

const open = async (fragment = "") => {
  await page.goto("about:blank");
  await page.goto(server.address + fragment);
};
const row = (name) => page.locator("#table tbody tr", { has: page.getByRole("button", { name, exact: true }) });
const cell = (name, column) => row(name).locator("td").nth(column).textContent();
const stepOf = async (name) => Number((await cell(name, 1)).replace(/\D/g, ""));
const until = (condition, argument) => page.waitForFunction(condition, argument, { timeout: PATIENCE });
const finished = () => until(() => document.querySelector("#run").textContent === "Again");
const quiet = () => assert.deepEqual(troubles, []);
const shot = (name) => page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
const saved = async (button) => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(button).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
};

test("what a visitor downloads is small", () => {
  const files = readdirSync(PAGE).filter((file) => /\.(js|css|html|wasm)$/.test(file));
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(PAGE, file)), { level: 9 }).length, 0);
  console.log(`page, module and libraries: ${bytes} bytes gzipped`);
  assert.ok(bytes <= CODE_LIMIT, `${bytes} bytes`);
});

test("a race starts by itself, SGD dies at Δt 1, the others live and keep their laws", async () => {
  await open();
  await until(() => performance.getEntriesByName("first-step").length > 0);
  await finished();
  assert.match(await cell("SGD", 1), /diverged at \d+/);
  for (const name of ["SAV, relaxed", "ExpSAV", "IEQ, full", "IEQ, adaptive"]) {
    assert.equal(await stepOf(name), 10_000);
    assert.match(await cell(name, 0), /● held/);
    assert.ok(Number(await cell(name, 3)) < 1e-3, name);
  }
  assert.match(await page.textContent("#status"), /SGD diverged at step \d+: the loss is not finite\. 0 violations/);
  await shot("regression-1440");
  quiet();
});

for (const fragment of ["#steps=300&r0=train&seed=2", "#task=mnist&steps=100&dt=0.5&racers=sgd,sav-relaxed,exp-sav"]) {
  test(`the shown command computes the page's weights bit for bit: ${fragment}`, async () => {
    await open(`${fragment}&pace=max`);
    await finished();
    for (const name of await page.locator("#table tbody tr:not(.dead) button").allTextContents()) {
      await page.getByRole("button", { name, exact: true }).click();
      assert.equal(await page.textContent("#command-of"), name);
      const { bytes } = await saved("#save");
      const line = await page.textContent("#command");
      assert.ok(desktop(line).equals(bytes), line);
    }
    quiet();
  });
}

test("Δt moves by keyboard over twelve decades while the race runs", async () => {
  await open("#dt=0.1&steps=10000000&pace=max");
  await until(() => /held/.test(document.querySelector("#table tbody tr:nth-child(3)")?.textContent ?? ""));
  assert.doesNotMatch(await cell("SGD", 1), /diverged/);
  await page.locator("#dt").focus();
  await page.keyboard.press("End");
  assert.match(await page.locator("#dt").getAttribute("aria-valuetext"), /1000000/);
  await until(() => /diverged/.test(document.querySelector("#table tbody tr").textContent));
  const before = await stepOf("SAV, relaxed");
  await page.keyboard.press("Home");
  await until((old) => Number(document.querySelector("#table tbody tr:nth-child(3) td:nth-child(3)").textContent) > old, before);
  assert.match(await cell("SAV, relaxed", 0), /● held/);
  assert.match(await page.textContent("#command-note"), /Δt was moved at step \d+/);
  quiet();
});

test("pause, one step and restart by key", async () => {
  await open();
  await until(() => performance.getEntriesByName("first-step").length > 0);
  await page.keyboard.press("Space");
  // The last frame may still be on its way.
  let stood;
  for (let before; before === undefined || before !== stood; ) {
    before = stood ?? -1;
    await page.waitForTimeout(300);
    stood = await stepOf("Adam");
  }
  await page.waitForTimeout(600);
  assert.equal(await stepOf("Adam"), stood);
  await page.keyboard.press("ArrowRight");
  await until((old) => Number(document.querySelector("#table tbody tr:nth-child(2) td:nth-child(3)").textContent) === old + 1, stood);
  await page.keyboard.press("r");
  await until(() => document.querySelector("#run").textContent === "Pause");
  await page.keyboard.press("4");
  assert.equal(await page.textContent("#command-of"), "ExpSAV");
  assert.match(await page.textContent("#law"), /^The law of ExpSAV:/);
  quiet();
});

test("the cross-hair tells every racer's value, by keyboard too", async () => {
  await open("#steps=200&pace=max&racers=sav,adam");
  await finished();
  await page.locator("[data-chart=loss]").focus();
  await page.keyboard.press("ArrowRight");
  await until(() => /^step 0:  Adam [\d.e-]+ +SAV [\d.e-]+$/.test(document.querySelector("#cursor").textContent));
  await page.keyboard.press("ArrowRight");
  assert.match(await page.textContent("#cursor"), /^step 1:/);
  assert.equal(await stepOf("SAV"), 200);
  quiet();
});

test("an address is the whole experiment", async () => {
  const fragment = "#racers=sav,adam&dt=0.5&seed=4&steps=300&noise=0&pace=max&y=linear";
  await open(fragment);
  await finished();
  const first = await page.locator("#table").textContent();
  const address = page.url();
  await open(address.slice(address.indexOf("#")));
  await finished();
  const same = (text) => text.replace(/\d[\d.e-]*(?=–$)/, "");
  const losses = async () => [await cell("SAV", 2), await cell("Adam", 2), await cell("SAV", 3)];
  const second = await losses();
  await open(fragment);
  await finished();
  assert.deepEqual(await losses(), second);
  assert.ok(same(first).includes(second[0]));
  await open("#dt=1e9&noise=-1");
  await until(() => /The address says dt=1e9/.test(document.querySelector("#status").textContent));
  quiet();
});

test("points are added and moved, and the net follows", async () => {
  await open();
  await until(() => performance.getEntriesByName("first-step").length > 0);
  await page.locator("#fit").scrollIntoViewIfNeeded();
  const box = await page.locator("#fit").boundingBox();
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.85, box.y + box.height * 0.15, { steps: 6 });
  await page.mouse.up();
  await until(() => document.querySelector("#task").value === "points");
  assert.match(page.url(), /points=/);
  await page.locator("#fit").focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await until(() => Number(document.querySelector("#table tr.focus td:nth-child(3)")?.textContent) > 30);
  await shot("points");
  const csv = await saved("#points-csv");
  assert.equal(csv.name, "points.csv");
  assert.match(String(csv.bytes), /^x,y\n/);
  quiet();
});

test("curves, pictures and weights leave as files, and weights come back", async () => {
  await open("#racers=sav,sav-relaxed&steps=50&pace=max");
  await finished();
  const csv = await saved("#csv");
  assert.match(String(csv.bytes), /^# gradflow train --task gaussian/);
  assert.equal(String(csv.bytes).trimEnd().split("\n").length, 2 + 1 + 100);
  const png = await saved("#png");
  assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
  const weights = await saved("#save");
  await page.locator("#load").setInputFiles({ name: "w.safetensors", mimeType: "application/octet-stream", buffer: weights.bytes });
  await until(() => document.querySelector("#table tbody tr td:nth-child(3)").textContent === "0");
  assert.ok((await saved("#save")).bytes.equals(weights.bytes));
  await page.locator("#copy").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^gradflow train .*--method sav --relaxed/);
  assert.equal(await page.textContent("#copied"), "The command is copied.");
  await page.locator("#load").setInputFiles({ name: "bad.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("no weights at all") });
  await page.locator("#alarm").waitFor({ state: "visible" });
  await page.locator("#revive").click();
  await page.locator("#alarm").waitFor({ state: "hidden" });
  await until(() => Number(document.querySelector("#table tbody tr td:nth-child(3)").textContent) > 0);
  quiet();
});

test("digits are learnt, drawn and read", async () => {
  await open("#task=mnist&pace=max&dt=0.5&steps=938&racers=sav,exp-sav&audit=off");
  await finished();
  assert.ok(parseFloat(await cell("ExpSAV", 3)) > 92);
  assert.match(await page.textContent("#answers"), /Nothing is drawn/);
  await page.locator("#pad").scrollIntoViewIfNeeded();
  const box = await page.locator("#pad").boundingBox();
  const draw = async (...points) => {
    for (const [i, [x, y]] of points.entries()) {
      await page.mouse.move(box.x + box.width * x, box.y + box.height * y, { steps: 8 });
      if (i === 0) await page.mouse.down();
    }
    await page.mouse.up();
  };
  await draw([0.3, 0.25], [0.7, 0.25], [0.45, 0.8]); // a seven
  await until(() => /ExpSAV: 7/.test(document.querySelector("#answers").textContent));
  await page.locator("#examine").click();
  await until(() => /misreads \d+ of 10000/.test(document.querySelector("#mistakes").textContent));
  assert.equal(await page.locator(".worst figure").count(), 12);
  await shot("digits-1440");
  await page.locator("#wipe").click();
  assert.match(await page.textContent("#answers"), /Nothing is drawn/);
  quiet();
});

test("missing images are told with what to do", async () => {
  await page.route("**/data/mnist/*", (route) => route.fulfill({ status: 404 }));
  await open("#task=mnist");
  await page.locator("#alarm").waitFor({ state: "visible" });
  assert.match(await page.textContent("#alarm"), /cargo xtask data/);
  await page.locator("#task").selectOption("gaussian");
  await page.locator("#alarm").waitFor({ state: "hidden" });
  await until(() => performance.getEntriesByName("first-step").length > 0);
});

test("a browser without vectors is told what it lacks", async () => {
  await page.addInitScript(() => (WebAssembly.validate = () => false));
  await open();
  await page.locator("#alarm").waitFor({ state: "visible" });
  assert.match(await page.textContent("#alarm"), /no WebAssembly with vector instructions/);
  quiet();
});

test("a tab in the background trains slowly", async () => {
  await open("#steps=10000000&pace=max&racers=sav,exp-sav");
  await until(() => performance.getEntriesByName("first-step").length > 0);
  const speed = async () => {
    const first = await stepOf("ExpSAV");
    await page.waitForTimeout(1500);
    return (await stepOf("ExpSAV")) - first;
  };
  const full = await speed();
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForTimeout(300);
  assert.ok((await speed()) < full / 4);
  quiet();
});

test("the page works offline once it was loaded", async () => {
  await open();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await open();
  await until(() => performance.getEntriesByName("first-step").length > 0);
  await context.setOffline(true);
  try {
    await page.reload();
    await until(() => performance.getEntriesByName("first-step").length > 0);
  } finally {
    await context.setOffline(false);
  }
});

for (const [width, height, scheme] of [[360, 640, "light"], [768, 1024, "dark"], [1440, 900, "dark"], [1440, 900, "light"]]) {
  test(`${width} × ${height}, ${scheme}: nothing is cut off, and everybody can use it`, async () => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await open("#steps=400&pace=max");
    assert.equal(await page.textContent("#run"), "Run");
    await page.locator("#run").click();
    await finished();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page scrolls sideways");
    await page.evaluate(readFileSync(AXE, "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`), []);
    await shot(`${width}-${scheme}`);
    quiet();
  });
}
