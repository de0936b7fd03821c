// Numbers of this moment: the chips, the people, the stages, the receivers, the charts.

import { Chart } from "./charts.js";
import { colourOf } from "./colours.js";
import { byId, make, say } from "./dom.js";

const LOCATED = { geometric: "distance by body size", exact: "exact distance", recorded: "as recorded" };

export class Figures {
  constructor() {
    this.latency = new Chart(byId("latency-chart"), ["#4cc2ff", "#ffb454"], 10);
    this.rate = new Chart(byId("fps-chart"), ["#5ad18a"], 10);
    this.stages = new Map();
  }

  show(state) {
    const { p50, p95 } = state.latency_ms;
    const people = state.replay ? state.present : state.people;
    const seen = people.filter((p) => p.seen).length;
    say(byId("fps"), state.fps.toFixed(1));
    say(byId("count"), String(seen));
    say(byId("latency"), p50 === null ? "–" : `${p50.toFixed(0)} ms`);
    say(byId("receiving"), String(state.receivers.filter((r) => r.kind !== "record").length));
    this.latency.add([p50, p95]);
    this.rate.add([state.fps]);
    this.#people(people);
    this.#stages(state.stage_ms);
    this.#receivers(state.receivers);
    say(byId("engine"), engine(state));
    say(byId("source"), named(state.source));
  }

  #people(people) {
    byId("nobody").hidden = people.length > 0;
    byId("people").hidden = !people.length;
    fill(byId("people").tBodies[0], people, personRow, (row, p) => {
      row.className = p.seen ? "" : "gone";
      if (row.dataset.slot !== String(p.slot)) {
        row.dataset.slot = p.slot;
        row.querySelector(".dot").style.background = colourOf(p.slot);
      }
      const [who, sure, away, off] = row.querySelectorAll("b");
      say(who, `person ${p.slot}`);
      say(sure, `${Math.round(100 * p.confidence)} %`);
      widen(row.querySelector(".bar i"), p.confidence);
      say(away, !p.seen ? "not seen" : p.depth_m === null ? "–" : `${p.depth_m.toFixed(2)} m`);
      say(off, p.depth_std_m === null ? "–" : (100 * p.depth_std_m).toFixed(0));
    });
  }

  #stages(times) {
    const longest = Math.max(1, ...Object.values(times).map((t) => t ?? 0));
    for (const [name, time] of Object.entries(times)) {
      if (!this.stages.has(name)) {
        const bar = make("i"), value = make("b");
        byId("stages").append(make("li", {}, name, make("span", { className: "bar" }, bar), value));
        this.stages.set(name, { bar, value });
      }
      const { bar, value } = this.stages.get(name);
      widen(bar, (time ?? 0) / longest);
      say(value, time === null ? "–" : `${time.toFixed(2)} ms`);
    }
  }

  #receivers(receivers) {
    const rows = receivers.length ? receivers : [null];
    fill(byId("receivers").tBodies[0], rows, () => make("tr", {}, make("td"), make("td"), make("td")), (row, r) => {
      const [who, rate, left] = row.children;
      who.className = r ? "" : "quiet";
      say(who, !r ? "nobody yet" : r.kind === "record" ? "recording" : r.name);
      say(rate, r ? `${r.rate.toFixed(0)} ${r.unit.split("/")[0]}` : "");
      say(left, r ? String(r.dropped) : "");
    });
  }
}

// As many rows as there are items, each kept and changed where it differs: a table that is made
// anew at every beat has to be laid out anew, too.
function fill(table, items, row, show) {
  while (table.children.length > items.length) table.lastChild.remove();
  while (table.children.length < items.length) table.append(row());
  items.forEach((item, i) => show(table.children[i], item));
}

function personRow() {
  return make("tr", {},
    make("td", {}, make("span", { className: "dot" }), make("b")),
    make("td", {}, make("span", { className: "bar" }, make("i")), make("b")),
    make("td", {}, make("b")), make("td", {}, make("b")));
}

function widen(bar, share) {
  const width = `${Math.round(100 * share)}%`;
  if (bar.style.width !== width) bar.style.width = width;
}

function engine(state) {
  const rate = state.source_fps ? ` · source ${state.source_fps.toFixed(0)} fps` : "";
  const lost = state.dropped ? ` · ${state.dropped} pictures skipped` : "";
  const failed = state.failures ? ` · ${state.failures} failed` : "";
  const input = state.input_px ? ` (${state.input_px.join(" × ")})` : "";
  return `${state.backend}${input} · ${LOCATED[state.locate] ?? state.locate} · ${state.camera.size.join(" × ")}${rate}${lost}${failed}`;
}

export function named(source) {
  return source.replace(/^.*[\\/]/, "").replace(/\.psrec$/, "");
}
