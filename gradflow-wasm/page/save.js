// Files that leave the page, without leaving the machine.

import { command } from "./methods.js";

/** Hands a file to the person. */
export function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const fileName = (spec, what, ending) => `gradflow-${spec.task}-seed${spec.seed}-dt${spec.dt}-${what}.${ending}`;

/** The curves with the commands that make them again, as comments. */
export const csvWithSpec = (spec, csv) => spec.racers.map((id) => `# ${command(spec, id)}\n`).join("") + csv;

/** Points as the desktop's `--task csv` reads them. */
export const pointsCsv = (points) => `x,y\n${points.map(([x, y]) => `${Math.fround(x)},${Math.fround(y)}`).join("\n")}\n`;

/** All pictures on one sheet, with the legend and the experiment below. */
export async function sheet(spec, pictures, legend, dark) {
  const ratio = devicePixelRatio || 1;
  const width = Math.max(...pictures.map(({ canvas }) => canvas.width));
  const [gap, line] = [16 * ratio, 20 * ratio];
  const heights = pictures.map(({ canvas }) => canvas.height + line + gap);
  const rows = Math.ceil(pictures.length / 2);
  const rowHeights = Array.from({ length: rows }, (_, row) => Math.max(heights[2 * row], heights[2 * row + 1] ?? 0));
  const notes = [legend.map(({ name }) => name).join("   "), location.href.length < 300 ? location.href : "", ...spec.racers.map((id) => command(spec, id))].filter(Boolean);
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width + 3 * gap;
  canvas.height = rowHeights.reduce((sum, height) => sum + height) + (notes.length + 2) * line;
  const g = canvas.getContext("2d");
  g.fillStyle = dark ? "#12171d" : "#ffffff";
  g.fillRect(0, 0, canvas.width, canvas.height);
  const ink = dark ? "#e6edf3" : "#1b232c";
  let y = gap;
  pictures.forEach((picture, i) => {
    const x = gap + (i % 2) * (width + gap);
    g.fillStyle = ink;
    g.font = `600 ${14 * ratio}px system-ui, sans-serif`;
    g.fillText(picture.title, x, y + line - 6 * ratio);
    g.drawImage(picture.canvas, x, y + line);
    if (i % 2 || i === pictures.length - 1) y += rowHeights[Math.floor(i / 2)];
  });
  g.font = `${12 * ratio}px ui-monospace, monospace`;
  let x = gap;
  for (const { name, colour, dash } of legend) {
    g.strokeStyle = colour;
    g.lineWidth = 2.5 * ratio;
    g.setLineDash(dash.map((part) => part * ratio));
    g.beginPath();
    g.moveTo(x, y + line / 2);
    g.lineTo(x + 28 * ratio, y + line / 2);
    g.stroke();
    g.fillStyle = ink;
    g.fillText(name, x + 34 * ratio, y + line / 2 + 4 * ratio);
    x += 50 * ratio + g.measureText(name).width;
  }
  notes.slice(1).forEach((note, i) => g.fillText(note, gap, y + (i + 2) * line));
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
