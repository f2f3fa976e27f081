// The table of the racers, which is also the charts' data for those who do not see them.

import { byId, colour } from "./methods.js";
import { compact, short } from "./charts.js";

const COLUMNS = 8;

export class Board {
  constructor(table, onFocus) {
    this.body = table.tBodies[0];
    this.onFocus = onFocus;
    this.rows = new Map();
  }

  reset(spec, laws, dark) {
    this.laws = new Map(laws.map((law) => [law.id, law]));
    this.rows = new Map(spec.racers.map((id) => [id, this.row(id, dark)]));
    this.body.replaceChildren(...[...this.rows.values()].map(({ row }) => row));
  }

  row(id, dark) {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    const name = Object.assign(document.createElement("button"), { type: "button", className: "name" });
    name.append(this.swatch(id, dark), byId(id).name);
    name.addEventListener("click", () => this.onFocus(id));
    head.append(name);
    const cells = Array.from({ length: COLUMNS - 1 }, () => document.createElement("td"));
    row.append(head, ...cells);
    return { row, cells, name };
  }

  /** A short piece of a racer's line. */
  swatch(id, dark) {
    const space = "http://www.w3.org/2000/svg";
    const picture = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "line");
    for (const [name, value] of Object.entries({ width: 26, height: 10, "aria-hidden": "true" })) picture.setAttribute(name, value);
    const look = { x1: 0, y1: 5, x2: 26, y2: 5, stroke: colour(id, dark), "stroke-width": 3, "stroke-dasharray": byId(id).dash.join(" ") };
    for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
    picture.append(line);
    return picture;
  }

  update(frame, spec) {
    for (const racer of frame?.racers ?? []) {
      const place = this.rows.get(racer.id);
      if (!place) continue;
      const digits = spec.task === "mnist";
      place.row.className = [racer.id === spec.focus ? "focus" : "", racer.failure ? "dead" : ""].join(" ");
      place.name.setAttribute("aria-pressed", racer.id === spec.focus);
      const last = (list, kept) => (list.length ? (place[kept] = list.at(-1)) : place[kept]);
      const loss = last(racer.loss, "loss");
      const kappa = last(racer.kappa, "kappa");
      const texts = [
        this.law(racer),
        racer.failure ? `diverged at ${racer.steps}` : String(racer.steps),
        racer.failure ? "–" : short(loss),
        racer.failure || racer.score === null ? "–" : digits ? `${(100 * racer.score).toFixed(2)} %` : short(racer.score),
        Number.isNaN(kappa) ? "–" : short(kappa),
        racer.steps > 50 ? short(racer.busy / racer.steps) : "–",
        racer.reached ? `step ${racer.reached.step}, ${short(racer.reached.seconds)} s` : "–",
      ];
      texts.forEach((text, i) => {
        if (place.cells[i].textContent !== text) place.cells[i].textContent = text;
      });
      place.cells[0].className = `lamp ${this.lamp(racer)}`;
    }
  }

  /** The law of a racer in words, for the line below the table. */
  lawOf(id) {
    const law = this.laws?.get(id);
    if (!law) return "";
    return law.hasLaw ? `The law of ${byId(id).name}:  ${law.law}` : `${law.law[0].toUpperCase()}${law.law.slice(1)}.`;
  }

  lamp({ id, tally }) {
    if (!this.laws.get(id)?.hasLaw || tally.length === 0 || tally[0] === 0) return "off";
    return tally[1] > 0 ? "broken" : "held";
  }

  law(racer) {
    const [checked, violations, first] = racer.tally;
    if (!this.laws.get(racer.id)?.hasLaw) return "○ none";
    if (racer.tally.length === 0) return "○ no audit";
    if (violations > 0) return `▲ broken ${compact(violations)} of ${compact(checked)}, first at ${first}`;
    return `● held ${compact(checked)}`;
  }

  /** Who leads, who fell, and whether the laws held. */
  sentence(frame, spec) {
    const alive = frame.racers.filter(({ failure }) => !failure);
    const dead = frame.racers.filter(({ failure }) => failure);
    const better = spec.task === "mnist" ? (a, b) => b.score - a.score : (a, b) => a.score - b.score;
    const parts = [`Step ${frame.step}.`];
    const ranked = alive.filter(({ score }) => Number.isFinite(score) && score !== null).sort(better);
    if (ranked.length) {
      const [{ id, score }] = ranked;
      parts.push(spec.task === "mnist" ? `${byId(id).name} leads with ${(100 * score).toFixed(2)} % right.` : `${byId(id).name} leads with an error of ${short(score)}.`);
    }
    for (const { id, steps, failure } of dead) parts.push(`${byId(id).name} diverged at step ${steps}: ${failure}.`);
    const audited = frame.racers.filter(({ id, tally }) => this.laws.get(id)?.hasLaw && tally.length);
    if (audited.length) {
      const sum = (i) => audited.reduce((total, { tally }) => total + tally[i], 0);
      parts.push(`${sum(1)} violations of a law in ${sum(0)} audited steps.`);
    }
    return parts.join(" ");
  }
}
