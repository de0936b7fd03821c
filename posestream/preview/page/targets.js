// Who is sent to over UDP: cards with a switch, an address and an application.

import { answered, byId, make } from "./dom.js";

const SHOWN = {
  vmc: ["enabled", "host", "port", "preset", "people", "first_slot"],
  vrchat: ["enabled", "host", "port", "slot"],
};
const NAMES = { preset: "application", host: "address", port: "port", people: "people", first_slot: "first person", slot: "person" };

export class Targets {
  constructor(link, fields) {
    this.link = link;
    this.fields = new Map(fields.map((f) => [f.key, f]));
    this.settings = null;
    byId("add-vmc").onclick = () => this.#add("vmc");
    byId("add-vrchat").onclick = () => this.#add("vrchat");
  }

  show(settings) {
    const before = JSON.stringify(this.settings && [this.settings.vmc, this.settings.vrchat]);
    this.settings = settings;
    if (before !== JSON.stringify([settings.vmc, settings.vrchat])) this.#draw();
  }

  #draw() {
    const cards = ["vmc", "vrchat"].flatMap((kind) =>
      this.settings[kind].map((target, place) => this.#card(kind, target, place)));
    byId("targets").replaceChildren(...cards);
    if (!cards.length) byId("targets").append(make("p", { className: "hint", textContent: "No targets: only WebSocket clients get frames." }));
  }

  #card(kind, target, place) {
    const remove = make("button", { textContent: "Remove", title: "Do not send there any more" });
    remove.onclick = () => this.#replace(kind, this.settings[kind].filter((_, i) => i !== place));
    const inputs = SHOWN[kind].slice(1).map((name) => this.#labelled(kind, place, name, target[name]));
    return make("div", { className: target.enabled ? "card" : "card off", data: { target: `${kind}.${place}` } },
      make("div", { className: "head" }, this.#input(kind, place, "enabled", target.enabled),
        make("b", { textContent: kind === "vmc" ? `VMC · ${target.preset}` : "VRChat" }), remove),
      ...pairs(inputs));
  }

  #labelled(kind, place, name, value) {
    const field = this.fields.get(`${kind}.N.${name}`);
    return make("label", { title: field.text }, NAMES[name], this.#input(kind, place, name, value));
  }

  #input(kind, place, name, value) {
    const field = this.fields.get(`${kind}.N.${name}`);
    const key = `${kind}.${place}.${name}`;
    const input = field.kind === "choice"
      ? make("select", {}, ...field.choices.map((c) => make("option", { value: c, textContent: c })))
      : make("input", field.kind === "switch" ? { type: "checkbox" } : { type: "text" });
    Object.assign(input, { title: field.text });
    input.dataset.key = key;
    if (field.kind === "switch") input.checked = value;
    else input.value = value ?? "";
    if (name === "port" && value === null) input.placeholder = "default";
    input.addEventListener("change", () => this.#set(key, field, input));
    return input;
  }

  async #set(key, field, input) {
    const text = input.value.trim();
    const number = field.kind === "integer" || field.kind === "number";
    const value = field.kind === "switch" ? input.checked
      : number && text === "" ? "off" : number && Number.isFinite(Number(text)) ? Number(text) : text;
    await this.#ask(key, value);
  }

  #add(kind) {
    const fresh = kind === "vmc" ? { port: this.#freePort() } : {};
    return this.#replace(kind, [...this.settings[kind], fresh]);
  }

  #freePort() {
    const used = this.settings.vmc.map((t) => (t.port ?? 39539) + 10 * (t.people - 1));
    return used.length ? Math.max(...used) + 10 : 39539;
  }

  #replace(kind, targets) {
    return this.#ask(kind, targets.map((t) => Object.fromEntries(Object.entries(t).filter(([, v]) => v !== null))));
  }

  async #ask(key, value) {
    const fine = await answered(byId("targets-answer"), this.link.ask("set", { key, value }), () => "");
    if (!fine) this.#draw();
  }
}

function pairs(inputs) {
  const rows = [];
  for (let i = 0; i < inputs.length; i += 2) {
    rows.push(make("div", { className: "pair" }, ...inputs.slice(i, i + 2)));
  }
  return rows;
}
