// Controls for settings, made from what the daemon says of each: kind, range, explanation.

import { byId, make } from "./dom.js";

const COMMON = {
  "smooth.smoothness": "Smoothness", "smooth.predict_ms": "Predict ahead", "retarget.mirror": "Mirror",
  "retarget.seated": "Seated", "smooth.outliers": "Outlier filter", "retarget.limits": "Joint limits",
  "retarget.hands": "Hands", "retarget.feet": "Feet", "track.hold_s": "Hold hidden people",
};
const SECTIONS = {
  source: "Camera and files", estimate: "Finding people", locate: "Distance", floor: "Floor and camera's place",
  track: "Who is who", retarget: "Avatar's motion", smooth: "Smoothing", avatar: "Avatar", vmc: "VMC targets",
  vmc_control: "VMC control", vrchat: "VRChat", websocket: "WebSocket stream", panel: "This panel",
  ground: "Feet on the floor", lift: "Lifting to 3D", perform: "Hands and face", cpu: "Processor",
  export: "Files of motion",
};
const UNITS = { _ms: "ms", _s: "s", _m: "m", _deg: "°", _hz: "Hz", _px: "px" };

export class Forms {
  constructor(link, fields) {
    this.link = link;
    this.fields = fields.filter((f) => !f.key.includes(".N."));
    this.controls = [];
    this.settings = null;
    this.#common();
    this.#all();
    byId("filter").addEventListener("input", () => this.#filter());
  }

  show(settings) {
    this.settings = settings;
    for (const control of this.controls) control.show(at(settings, control.key));
  }

  #common() {
    const known = new Map(this.fields.map((f) => [f.key, f]));
    const wanted = Object.entries(COMMON).filter(([key]) => known.has(key));
    byId("motion-form").append(...wanted.map(([key, name]) => this.#control(known.get(key), name)));
  }

  #all() {
    const sections = Map.groupBy
      ? Map.groupBy(this.fields, (f) => f.key.split(".")[0])
      : grouped(this.fields, (f) => f.key.split(".")[0]);
    for (const [section, fields] of sections) {
      const live = fields[0].live;
      const note = live ? [] : [make("p", { className: "explain",
        textContent: "Fixed while running: change it in the configuration file and start again." })];
      byId("all-form").append(make("details", {},
        make("summary", { textContent: SECTIONS[section] ?? section }), ...note,
        ...fields.map((f) => (live ? this.#control(f, plain(f.key), true) : this.#fixed(f)))));
    }
  }

  #fixed(field) {
    const value = make("b");
    this.controls.push({ key: field.key, show: (now) => { value.textContent = shown(now); } });
    return make("div", { className: "field fixed", data: { words: words(field) } },
      make("div", { className: "head" }, make("label", { textContent: plain(field.key) }), value),
      make("p", { className: "explain", textContent: field.text }));
  }

  #control(field, name, withKey = false) {
    const id = `f-${this.controls.length}`;
    const output = make("output");
    const input = control(field);
    input.id = id;
    input.dataset.key = field.key;
    const refusal = make("p", { className: "answer bad" });
    const box = make("div", { className: "field", data: { words: words(field) } });
    const slider = input.type === "range";
    const label = make("label", { htmlFor: id, textContent: name });
    box.append(make("div", { className: "head" }, label, slider ? output : make("div", { className: "control" }, input)),
      ...(slider ? [input] : []),
      make("p", { className: "explain", textContent: withUnit(field) },
        ...(withKey ? [" ", make("code", { textContent: field.key })] : [])), refusal);
    const show = (now) => {
      put(input, now);
      output.textContent = shown(now);
    };
    this.controls.push({ key: field.key, show: (now) => document.activeElement !== input && show(now) });
    if (slider) input.addEventListener("input", () => { output.textContent = Number(input.value).toFixed(2); });
    input.addEventListener("change", () => this.#set(field, input, box, refusal, show));
    return box;
  }

  async #set(field, input, box, refusal, show) {
    try {
      await this.link.ask("set", { key: field.key, value: taken(field, input) });
      refusal.textContent = "";
      box.classList.remove("refused");
    } catch (error) {
      refusal.textContent = `${error.message} It stays as it was.`;
      box.classList.add("refused");
      show(at(this.settings, field.key));
    }
  }

  #filter() {
    const wanted = byId("filter").value.trim().toLowerCase();
    for (const section of byId("all-form").children) {
      let any = false;
      for (const box of section.querySelectorAll(".field")) {
        box.hidden = wanted !== "" && !box.dataset.words.includes(wanted);
        any ||= !box.hidden;
      }
      section.hidden = !any;
      section.open = wanted !== "" && any;
    }
  }
}

function control(field) {
  if (field.kind === "switch") return make("input", { type: "checkbox" });
  if (field.kind === "choice") {
    const choices = field.optional ? ["off", ...field.choices] : field.choices;
    return make("select", {}, ...choices.map((c) => make("option", { value: c, textContent: c })));
  }
  const narrow = field.kind === "number" && field.low === 0 && field.high === 1 && !field.optional;
  if (narrow) return make("input", { type: "range", min: 0, max: 1, step: 0.05 });
  return make("input", { type: "text", inputMode: field.kind === "text" ? "text" : "decimal" });
}

function put(input, value) {
  if (input.type === "checkbox") input.checked = value === true;
  else input.value = shown(value);
}

// What is sent: the daemon judges it, so that its sentence explains what is wrong.
function taken(field, input) {
  if (field.kind === "switch") return input.checked;
  const text = input.value.trim();
  if (field.kind === "list") return text === "" ? [] : text.split(",").map((part) => numberOr(part.trim()));
  if (field.kind === "number" || field.kind === "integer") return numberOr(text);
  const number = field.choices.find((c) => String(c) === text);
  return number ?? text;
}

const numberOr = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : text);
const plain = (key) => key.split(".").slice(1).join(" ").replace(/_(ms|s|m|deg|hz|px)$/, "").replaceAll("_", " ");
const words = (f) => `${f.key} ${plain(f.key)} ${f.text}`.toLowerCase();
const at = (settings, key) => key.split(".").reduce((node, part) => node?.[part], settings);

function withUnit(field) {
  const unit = Object.entries(UNITS).find(([end]) => field.key.endsWith(end))?.[1];
  return unit && !field.text.includes(unit) ? `${field.text} In ${unit}.`.replace("In °", "In degrees") : field.text;
}

function shown(value) {
  if (value === null || value === undefined) return "off";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" && !Number.isInteger(value) ? String(Math.round(value * 1e4) / 1e4) : String(value);
}

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
