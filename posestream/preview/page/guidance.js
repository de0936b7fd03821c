// Leads through a calibration: starts it, shows countdown, what to do, how far it is; cancels.

import { answered, byId, say } from "./dom.js";

const STARTS = ["guide-lens", "guide-floor", "guide-body"];

export class Guidance {
  constructor(link) {
    this.link = link;
    this.running = false;
    byId("guide-lens").onclick = () => this.#start("lens");
    byId("guide-floor").onclick = () => this.#start("floor", { marker_cm: number(byId("marker-cm")) });
    byId("guide-body").onclick = () => this.#start("body", { height_cm: number(byId("height-cm")) });
    byId("guide-cancel").onclick = () => answered(byId("guide-answer"), link.ask("cancel_guide"), () => "");
  }

  show(guidance) {
    const running = Boolean(guidance?.running);
    byId("guide").hidden = !guidance;
    byId("guide-running").hidden = !running;
    for (const id of STARTS) byId(id).disabled = running;
    if (!guidance) return;
    const text = byId("guide-text");
    text.classList.toggle("bad", guidance.error !== "");
    text.classList.toggle("good", guidance.done);
    say(text, guidance.error || guidance.text);
    byId("guide-count").hidden = guidance.countdown_s === 0;
    byId("guide-share").hidden = guidance.countdown_s > 0;
    say(byId("guide-count"), String(guidance.countdown_s));
    byId("guide-share").value = guidance.share;
    const ended = this.running && !running;
    this.running = running;
    byId("guide").classList.toggle("running", running);  // then it stays in view
    if (ended) byId("guide").scrollIntoView({ block: "nearest" });
  }

  async #start(what, more = {}) {
    const answer = byId("guide-answer");
    const begun = await answered(answer, this.link.ask("guide", { what, ...more }), () => "");
    if (!begun) answer.scrollIntoView({ block: "nearest" });
  }
}

// What is no number is sent as it is: the daemon's sentence explains what is wrong.
function number(input) {
  const text = input.value.trim().replace(",", ".");
  if (text === "") return null;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}
