// Where pictures come from, recordings and their timeline, the avatar, saving.

import { answered, byId, make, say } from "./dom.js";
import { named } from "./figures.js";

export class Inputs {
  constructor(link, welcome) {
    this.link = link;
    this.source = null;
    this.recording = null;
    this.dragging = false;
    this.#wireSource();
    this.#wireTimeline();
    this.#wireAvatar();
    byId("save-explain").textContent = `Writes them to ${welcome.save_to}; comments there are kept.`;
    byId("save").onclick = () => answered(byId("save-answer"), link.ask("save"),
      ({ command }) => `Saved. Start with it: ${command}`);
    this.refresh();
  }

  show(state) {
    const changed = state.source !== this.source || state.recording !== this.recording;
    this.source = state.source;
    this.recording = state.recording;
    const button = byId("record-button");
    say(button, state.recording ? "Stop" : "Record");
    button.classList.toggle("on", Boolean(state.recording));
    say(byId("avatar-note"), state.avatar_note);
    this.#timeline(state.replay);
    if (changed) this.refresh();
  }

  async refresh() {
    const { sources, recordings } = await this.link.ask("sources").catch(() => ({ sources: [], recordings: [] }));
    byId("sources").replaceChildren(...sources.map((s) => this.#choice(s)));
    byId("recordings").replaceChildren(...recordings.map((s) => this.#choice(s)));
  }

  #choice({ spec, name }) {
    const now = spec === this.source;
    const button = make("button", { textContent: name, title: spec, className: now ? "now" : "", disabled: now, data: { spec } });
    button.onclick = () => this.#open(spec);
    return button;
  }

  #open(spec) {
    return answered(byId("input-answer"), this.link.ask("source", { spec }), () => `Going on with ${named(spec)}.`);
  }

  #wireSource() {
    byId("open-source").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#open(byId("spec").value.trim());
    });
    byId("record").addEventListener("submit", (event) => {
      event.preventDefault();
      const request = this.recording
        ? this.link.ask("stop_record") : this.link.ask("record", { name: byId("take").value.trim() });
      const done = ({ file, messages }) => (messages === undefined ? "Recording …" : `${messages} messages kept in ${file}`);
      answered(byId("input-answer"), request, done).then((fine) => {
        if (fine && this.recording) byId("take").value = next(byId("take").value);
        this.refresh();
      });
    });
  }

  #wireTimeline() {
    const position = byId("position");
    position.addEventListener("pointerdown", () => { this.dragging = true; });
    position.addEventListener("input", () => this.#time(Number(position.value), Number(position.max)));
    position.addEventListener("change", () => {
      this.dragging = false;
      this.link.ask("seek", { position_s: Number(position.value) }).catch((e) => say(byId("time"), e.message));
    });
    byId("play").onclick = () => this.link.ask("pause", { on: byId("play").textContent === "Pause" }).catch(() => {});
  }

  #timeline(replay) {
    byId("timeline").hidden = !replay;
    if (!replay) return;
    const position = byId("position");
    position.disabled = replay.duration_s === null;
    position.max = replay.duration_s ?? 1;
    say(byId("play"), replay.paused ? "Play" : "Pause");
    if (this.dragging) return;
    position.value = replay.position_s;
    this.#time(replay.position_s, replay.duration_s);
  }

  #time(at, of) {
    say(byId("time"), of === null ? clock(at) : `${clock(at)} / ${clock(of)}`);
  }

  #wireAvatar() {
    const file = byId("avatar-file");
    file.addEventListener("change", () => { this.#load(file.files[0]); file.value = ""; });
    byId("own-avatar").onclick = () => answered(byId("avatar-answer"), this.link.ask("own_avatar"), () => "");
    const scene = byId("scene");
    for (const kind of ["dragover", "dragleave", "drop"]) {
      scene.addEventListener(kind, (event) => {
        event.preventDefault();
        scene.classList.toggle("dropping", kind === "dragover");
        if (kind === "drop") this.#load(event.dataTransfer.files[0]);
      });
    }
  }

  #load(file) {
    if (!file) return;
    answered(byId("avatar-answer"), this.link.upload(file), ({ name, bones }) => `${name} is worn: ${bones} bones.`);
  }
}

const clock = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;
const next = (name) => name.replace(/(\d+)?$/, (number) => (number ? String(Number(number) + 1) : " 2"));
