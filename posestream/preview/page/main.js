// Joins the page's parts with the daemon.

import { answered, byId, make, say } from "./dom.js";
import { Figures } from "./figures.js";
import { Forms } from "./form.js";
import { Guidance } from "./guidance.js";
import { Inputs } from "./inputs.js";
import { Link } from "./link.js";
import { Pace } from "./pace.js";
import { Picture } from "./picture.js";
import { Scene } from "./scene.js";
import { Targets } from "./targets.js";

const BONES = 55;
const link = new Link(rememberedKey());
const figures = new Figures();
const pace = new Pace(link);
const page = { pace, picture: null, scene: null, forms: null, targets: null, inputs: null, guidance: null, motion: null, moment: -1 };
window.posestreamPanel = page;  // for tests and the curious

// The key comes behind # once; then it is kept for this address and taken off the screen.
function rememberedKey() {
  const given = location.hash.slice(1);
  if (given) {
    localStorage.setItem("key", given);
    history.replaceState(null, "", location.pathname);
  }
  return localStorage.getItem("key") ?? "";
}

link.on("welcome", (welcome) => {
  status("good", "Running");
  pace.forget();
  if (page.forms) {  // connected again
    pace.tell(page.picture.width);
    return;
  }
  page.picture = new Picture(byId("picture"), welcome.limbs, pace);
  page.picture.onShown = (bitmap) => {
    page.scene?.picture(bitmap);
    byId("no-picture").hidden = true;
    link.say("shown");
  };
  pace.tell(page.picture.width);
  page.forms = new Forms(link, welcome.fields);
  page.targets = new Targets(link, welcome.fields);
  page.inputs = new Inputs(link, welcome);
  page.guidance = new Guidance(link);
  try {
    page.scene = new Scene(byId("scene"), byId("labels"), welcome, pace);
  } catch (error) {
    byId("no-gl").hidden = false;
    console.warn(error);
  }
});

link.on("settings", ({ settings }) => {
  page.forms.show(settings);
  page.targets.show(settings);
  page.picture.mirrored = settings.retarget.mirror;
  byId("face").hidden = !settings.perform.face;
});

let state = null;
link.on("state", (now) => {
  state = now;
  pace.changed("figures");
});

pace.draws("figures", () => {
  const present = (page.motion ?? []).map((p) => ({ ...p, seen: !p.held, depth_m: null, depth_std_m: null }));
  figures.show({ ...state, present });
  byId("picture").hidden = Boolean(state.replay);
  if (state.replay) {
    byId("no-picture").hidden = false;
    say(byId("no-picture"), "Recordings hold no pictures.");
  }
  page.inputs.show(state);
  page.guidance.show(state.guidance);
  page.scene?.camera(state.camera);
  people(state.people);
  if (state.live && state.fps === 0) status("bad", "No pictures come: is the camera covered, asleep or unplugged?");
  else status("good", state.recording ? `Recording ${state.recording}` : "Running");
  pace.tell(page.picture.width);
  byId("details").checked = !pace.spare;
});

link.on("motion", (head, data, start) => {
  const n = head.slot.length;
  const values = new Float32Array(data.slice(start));
  const rows = (from, count, size) => Array.from({ length: count },
    (_, i) => Array.from(values.subarray(from + i * size, from + (i + 1) * size)));
  page.motion = head.slot.map((slot, i) => ({
    slot, id: head.id[i], held: head.held[i], confidence: head.confidence[i], hip_m: head.hip_m[i],
    root: rows(i * 3, 1, 3)[0],
    quats: rows(n * 3 + i * BONES * 4, BONES, 4),
    places: rows(n * 3 + n * BONES * 4 + i * BONES * 3, BONES, 3),
  }));
  page.moment = head.index;
  page.scene?.move(page.motion);
});

link.on("picture", (head, data, start) => page.picture.take(head, data, start).catch(console.warn));

link.on("mesh", async (head, data, start) => {
  await page.scene?.avatars.load(head, data, start);
  pace.changed("scene");
  say(byId("avatar-name"), head.name);
});

link.on("lost", () => status("bad", "posestream has stopped or cannot be reached; trying again …"));

link.on("wrongKey", () => {
  status("bad", "The key is missing or wrong.");
  byId("ask-key").showModal();
});

byId("ask-key").addEventListener("close", () => {
  link.key = byId("key").value.trim().replace(/^.*#/, "");
  localStorage.setItem("key", link.key);
  link.connect();
});

function status(kind, text) {
  byId("status").className = `status ${kind}`;
  say(byId("status"), text);
}

function people(list) {
  const who = byId("who");
  const slots = list.map((p) => String(p.slot));
  if ([...who.options].map((o) => o.value).join() === slots.join()) return;
  const before = who.value;
  who.replaceChildren(...slots.map((s) => make("option", { value: s, textContent: `person ${s}` })));
  if (slots.includes(before)) who.value = before;
}

for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.onclick = () => {
    for (const other of document.querySelectorAll("[role=tab]")) {
      other.setAttribute("aria-selected", String(other === tab));
      byId(`tab-${other.dataset.tab}`).hidden = other !== tab;
    }
    if (tab.dataset.tab === "input") page.inputs?.refresh();
  };
}

const toggles = { "show-body": "body", "show-bones": "bones", "show-camera": "camera", follow: "follow" };
for (const [id, what] of Object.entries(toggles)) {
  byId(id).onchange = () => {
    if (!page.scene) return;
    page.scene.show[what] = byId(id).checked;
    pace.hurry("scene");
  };
}
byId("details").onchange = () => {
  pace.choose(byId("details").checked);
  if (page.picture) pace.tell(page.picture.width);
};
byId("view-reset").onclick = () => page.scene?.resetView();
const place = byId("place-answer");
byId("recentre").onclick = () => answered(place, link.ask("recentre", { slot: Number(byId("who").value || 0) }));
byId("uncentre").onclick = () => answered(place, link.ask("recentre", { slot: null }));
byId("relearn").onclick = () => answered(place, link.ask("calibrate"), () => "Learning: stand upright and walk a few steps.");
byId("neutral").onclick = () => answered(byId("face-answer"), link.ask("neutral"), () => "Learning: look into the camera, relaxed.");

link.connect();
