// Who is sent to over UDP: cards with a switch, an address and an application.
//
// Cards stay while settings change, or what somebody is typing, and the focus, would be lost
// with every message. Requests go one after the other, each made from what the last one left.

import { answered, byId, make, say } from "./dom.js";

const SHOWN = {
  vmc: ["enabled", "host", "port", "preset", "people", "first_slot"],
  vrchat: ["enabled", "host", "port", "slot"],
};
const NAMES = { preset: "application", host: "address", port: "port", people: "people", first_slot: "first person", slot: "person" };

export class Targets {
  #cards = { vmc: [], vrchat: [] };
  #none = make("p", { className: "hint", textContent: "No targets: only WebSocket clients get frames." });
  #last = Promise.resolve();

  constructor(link, fields) {
    this.link = link;
    this.fields = new Map(fields.map((f) => [f.key, f]));
    this.settings = null;
    byId("add-vmc").onclick = () => this.#add("vmc");
    byId("add-vrchat").onclick = () => this.#add("vrchat");
  }

  show(settings) {
    this.settings = settings;
    for (const kind of Object.keys(SHOWN)) this.#showKind(kind, settings[kind]);
    const none = Object.values(this.#cards).every((cards) => !cards.length);
    if (none) byId("targets").append(this.#none);
    else this.#none.remove();
  }

  #showKind(kind, targets) {
    const cards = this.#cards[kind];
    const moved = targets.length < cards.length;  // what is being typed may be somebody else's now
    while (cards.length > targets.length) cards.pop().box.remove();
    while (cards.length < targets.length) this.#append(kind);
    cards.forEach((card, place) => card.show(targets[place], moved));
  }

  #append(kind) {
    const cards = this.#cards[kind];
    const card = new Card(kind, cards.length, this.fields, {
      set: (input, field) => this.#set(input, field),
      remove: (place) => this.#replace(kind, (targets) => targets.filter((_, i) => i !== place)),
    });
    const before = cards.at(-1)?.box ?? (kind === "vrchat" ? this.#cards.vmc.at(-1)?.box : null);
    if (before) before.after(card.box);
    else byId("targets").prepend(card.box);
    cards.push(card);
  }

  // What was asked stays in sight until the last answer about it.
  #set(input, field) {
    const value = taken(field, input);
    const number = String(Number(input.dataset.asked ?? 0) + 1);
    input.dataset.asked = number;
    return this.#ask(() => ({ key: input.dataset.key, value }), () => {
      if (input.dataset.asked === number) delete input.dataset.asked;
    });
  }

  #add(kind) {
    return this.#replace(kind, (targets) => [...targets, kind === "vmc" ? { port: freePort(targets) } : {}]);
  }

  // Which target is which changes: controls that name one by its place wait meanwhile.
  #replace(kind, change) {
    if (byId("targets").inert) return undefined;
    wait(true);
    const value = () => change(this.settings[kind]).map(withoutNull);
    return this.#ask(() => ({ key: kind, value: value() }), () => wait(false));
  }

  // The daemon sends the new settings before its answer.
  #ask(payload, done) {
    this.#last = this.#last.then(async () => {
      await answered(byId("targets-answer"), this.link.ask("set", payload()), () => "");
      done();
      this.show(this.settings);
    });
    return this.#last;
  }
}

class Card {
  constructor(kind, place, fields, on) {
    this.inputs = SHOWN[kind].map((name) => {
      const field = fields.get(`${kind}.N.${name}`);
      const input = control(field);
      input.dataset.key = `${kind}.${place}.${name}`;
      input.addEventListener("input", () => { input.dataset.edited = "yes"; });
      input.addEventListener("change", () => { delete input.dataset.edited; on.set(input, field); });
      input.addEventListener("blur", () => { delete input.dataset.edited; });
      return [name, field, input];
    });
    this.kind = kind;
    this.title = make("b");
    this.remove = make("button", { textContent: "Remove", title: "Do not send there any more" });
    this.remove.onclick = () => on.remove(place);
    const [[, , enabled], ...others] = this.inputs;
    const labels = others.map(([name, field, input]) => make("label", { title: field.text }, NAMES[name], input));
    this.box = make("div", { data: { target: `${kind}.${place}` } },
      make("div", { className: "head" }, enabled, this.title, this.remove), ...pairs(labels));
  }

  show(target, forget) {
    this.box.className = target.enabled ? "card" : "card off";
    say(this.title, this.kind === "vmc" ? `VMC · ${target.preset}` : "VRChat");
    for (const [name, field, input] of this.inputs) {
      if (forget || !(input.dataset.edited || input.dataset.asked)) put(field, input, target[name]);
    }
  }
}

function wait(on) {
  byId("targets").inert = on;
  for (const name of ["add-vmc", "add-vrchat"]) byId(name).disabled = on;
}

function control(field) {
  const input = field.kind === "choice"
    ? make("select", {}, ...field.choices.map((c) => make("option", { value: c, textContent: c })))
    : make("input", field.kind === "switch" ? { type: "checkbox" } : { type: "text" });
  return Object.assign(input, { title: field.text });
}

function put(field, input, value) {
  delete input.dataset.edited;
  const text = String(value ?? "");
  if (field.kind === "switch") input.checked = value;
  else if (input.value !== text) input.value = text;
  if (value === null) input.placeholder = "default";
}

function taken(field, input) {
  const text = input.value.trim();
  if (field.kind === "switch") return input.checked;
  if (field.kind !== "integer" && field.kind !== "number") return text;
  if (text === "") return "off";
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

function freePort(targets) {
  const used = targets.map((t) => (t.port ?? 39539) + 10 * (t.people - 1));
  return used.length ? Math.max(...used) + 10 : 39539;
}

const withoutNull = (target) => Object.fromEntries(Object.entries(target).filter(([, v]) => v !== null));

function pairs(inputs) {
  const rows = [];
  for (let i = 0; i < inputs.length; i += 2) {
    rows.push(make("div", { className: "pair" }, ...inputs.slice(i, i + 2)));
  }
  return rows;
}
