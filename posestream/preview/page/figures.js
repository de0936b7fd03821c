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
    byId("people").tBodies[0].replaceChildren(...people.map((p) => make("tr",
      { className: p.seen ? "" : "gone", data: { slot: p.slot } },
      make("td", {}, dot(p.slot), `person ${p.slot}`),
      make("td", {}, bar(p.confidence), `${Math.round(100 * p.confidence)} %`),
      make("td", { textContent: !p.seen ? "not seen" : p.depth_m === null ? "–" : `${p.depth_m.toFixed(2)} m` }),
      make("td", { textContent: p.depth_std_m === null ? "–" : (100 * p.depth_std_m).toFixed(0) }))));
  }

  #stages(times) {
    const longest = Math.max(1, ...Object.values(times).map((t) => t ?? 0));
    for (const [name, time] of Object.entries(times)) {
      if (!this.stages.has(name)) {
        const fill = make("i"), value = make("b");
        byId("stages").append(make("li", {}, name, make("span", { className: "bar" }, fill), value));
        this.stages.set(name, { fill, value });
      }
      const { fill, value } = this.stages.get(name);
      fill.style.width = `${100 * (time ?? 0) / longest}%`;
      say(value, time === null ? "–" : `${time.toFixed(2)} ms`);
    }
  }

  #receivers(receivers) {
    const rows = receivers.map((r) => make("tr", {},
      make("td", { textContent: r.kind === "record" ? "recording" : r.name }),
      make("td", { textContent: `${r.rate.toFixed(0)} ${r.unit.split("/")[0]}` }),
      make("td", { textContent: String(r.dropped) })));
    const none = make("tr", {}, make("td", { className: "quiet", textContent: "nobody yet", colSpan: 3 }));
    byId("receivers").tBodies[0].replaceChildren(...(rows.length ? rows : [none]));
  }
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

function dot(slot) {
  const mark = make("span", { className: "dot" });
  mark.style.background = colourOf(slot);
  return mark;
}

function bar(share) {
  const fill = make("i");
  fill.style.width = `${Math.round(100 * share)}%`;
  return make("span", { className: "bar" }, fill);
}
