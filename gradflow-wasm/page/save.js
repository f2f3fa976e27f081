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
  const [gap, line] = [16 * ratio, 20 * ratio];
  const notes = [legend.map(({ name }) => name).join("   "), location.href.length < 300 ? location.href : "", ...spec.racers.map((id) => command(spec, id))].filter(Boolean);
  const canvas = document.createElement("canvas");
  const g = canvas.getContext("2d");
  const plain = `${12 * ratio}px ui-monospace, monospace`;
  g.font = plain;
  const widths = [...notes.map((note) => g.measureText(note).width), ...pictures.map((picture) => picture.canvas.width)];
  const width = Math.max(...widths) + 2 * gap;
  // As many in a row as there is room for.
  const rows = [];
  let right = Infinity;
  for (const picture of pictures) {
    right += gap + picture.canvas.width;
    if (right > width - gap) {
      rows.push([]);
      right = gap + picture.canvas.width;
    }
    rows.at(-1).push(picture);
  }
  const rowHeights = rows.map((row) => Math.max(...row.map((picture) => picture.canvas.height)) + line + gap);
  canvas.width = width;
  canvas.height = rowHeights.reduce((sum, height) => sum + height) + (notes.length + 2) * line;
  g.fillStyle = dark ? "#12171d" : "#ffffff";
  g.fillRect(0, 0, canvas.width, canvas.height);
  const ink = dark ? "#e6edf3" : "#1b232c";
  let y = gap;
  g.fillStyle = ink;
  g.font = `600 ${14 * ratio}px system-ui, sans-serif`;
  rows.forEach((row, i) => {
    let x = gap;
    for (const picture of row) {
      g.fillText(picture.title, x, y + line - 6 * ratio);
      g.drawImage(picture.canvas, x, y + line);
      x += picture.canvas.width + gap;
    }
    y += rowHeights[i];
  });
  g.font = plain;
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
