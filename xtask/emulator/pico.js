// Runs a Pico's flash image in rp2040js: `node pico.js IMAGE`, the serial line on standard input
// and output. There is no boot ROM: the image's own vector table says where to begin.

import { readFileSync, writeSync } from 'node:fs';
import { Simulator } from 'rp2040js';

const FLASH = 0x10000000;
// Behind the 256 bytes of the second boot stage.
const VECTORS = FLASH + 0x100;
const CYCLE = 8; // nanoseconds at 125 MHz
// Instructions between two looks at standard input.
const SLICE = 200_000;
// Cycles of a byte at 115,200 baud: the firmware must find time to fetch each one.
const BYTE = 10_850;

const [path] = process.argv.slice(2);
if (!path) {
  console.error('usage: node pico.js IMAGE');
  process.exit(2);
}

const { rp2040, clock } = new Simulator();
rp2040.flash.set(readFileSync(path));
rp2040.logger = { debug() {}, info() {}, warn() {}, error: (from, text) => console.error(from, text) };
const { core } = rp2040;
core.VTOR = VECTORS;
core.SP = rp2040.readUint32(VECTORS);
core.PC = rp2040.readUint32(VECTORS + 4) & ~1;

const uart = rp2040.uart[0];
let output = [];
uart.onByte = (byte) => output.push(byte);

const input = [];
let ended = false;
process.stdin.on('data', (bytes) => input.push(...bytes));
process.stdin.on('end', () => (ended = true));

let untilByte = 0;
function run() {
  for (let i = 0; i < SLICE; i++) {
    const cycles = core.waiting ? 1 : core.executeInstruction();
    clock.tick(cycles * CYCLE);
    untilByte -= cycles;
    if (untilByte <= 0 && input.length > 0 && !uart.rxFIFO.full) {
      uart.feedByte(input.shift());
      untilByte = BYTE;
    }
  }
  if (output.length > 0) {
    writeSync(1, Buffer.from(output));
    output = [];
  }
  if (!ended || input.length > 0) setImmediate(run);
}
run();
