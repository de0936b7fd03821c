// The scene in 3D: floor, camera with its picture, skeletons, avatars, names.

import { Avatars } from "./avatars.js";
import { colourOf } from "./colours.js";
import { fillTexture, imageTexture, Program, vertexArray } from "./gl.js";
import { apply, lookAt, perspective, project, times } from "./math.js";
import { Orbit } from "./orbit.js";
import { FLOOR_FRAGMENT, FLOOR_VERTEX, LINE_FRAGMENT, LINE_VERTEX } from "./shaders.js";
import { Skeletons } from "./skeletons.js";

const FRUSTUM_M = 0.7;
const FOV_Y = 0.75;
const NEAR_M = 2.2;  // from here on details are looked at

export class Scene {
  constructor(canvas, labels, welcome, pace) {
    const gl = canvas.getContext("webgl2", { antialias: !pace.spare, stencil: true });
    if (!gl) throw new Error("WebGL 2 is off");
    Object.assign(this, { canvas, labels, gl, pace });
    this.show = { body: true, bones: true, camera: true, follow: false };
    this.people = [];
    this.orbit = new Orbit(canvas);
    const index = Object.fromEntries(welcome.bones.map((name, b) => [name, b]));
    const skeleton = { ...welcome, index };
    this.head = index.Head;
    this.avatars = new Avatars(gl, skeleton);
    this.skeletons = new Skeletons(gl, skeleton);
    this.floor = new Program(gl, FLOOR_VERTEX, FLOOR_FRAGMENT);
    this.plane = vertexArray(gl, this.floor, [["position", new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), 2]]);
    this.lines = new Program(gl, LINE_VERTEX, LINE_FRAGMENT);
    this.texture = imageTexture(gl);
    this.frustum = null;
    this.names = new Map();
    this.drawn = 0;
    this.busy = false;  // until a drawing is finished there is no other, or they queue up and lag
    this.again = false;
    this.orbit.onChange = () => pace.hurry("scene");
    pace.draws("scene", () => this.#draw());
    pace.changed("scene");
  }

  move(people) {
    this.people = people;
    this.pace.changed("scene");
    const places = people.filter((p) => !p.held).map((p) => p.root);
    if (places.length && (!this.framed || this.show.follow)) this.#look(places);
  }

  resetView() {
    this.orbit.touched = false;
    this.orbit.frame(this.people.map((p) => p.root), this.eye_m);
    this.pace.hurry("scene");
  }

  picture(bitmap) {
    if (!this.show.camera) return;
    fillTexture(this.gl, this.texture, bitmap);
    this.pace.changed("scene");
  }

  camera({ size, K, T_world_cam }) {
    const key = JSON.stringify([size, K, T_world_cam]);
    if (key === this.cameraKey) return;
    this.cameraKey = key;
    this.pace.changed("scene");
    const corner = (u, v) => apply(T_world_cam, [
      (u - K[0][2]) / K[0][0] * FRUSTUM_M, (v - K[1][2]) / K[1][1] * FRUSTUM_M, FRUSTUM_M]);
    const [w, h] = size, at = apply(T_world_cam, [0, 0, 0]);
    this.eye_m = at;
    const [a, b, c, d] = [corner(0, 0), corner(w, 0), corner(w, h), corner(0, h)];
    const mark = [corner(w * 0.42, -h * 0.03), corner(w * 0.58, -h * 0.03), corner(w * 0.5, -h * 0.14)];
    const edges = [at, a, at, b, at, c, at, d, a, b, b, c, c, d, d, a,
      mark[0], mark[1], mark[1], mark[2], mark[2], mark[0]].flat();
    const { gl, lines } = this;
    this.frustum?.edges.free();
    this.frustum?.face.free();
    this.frustum = {
      count: edges.length / 3,
      edges: vertexArray(gl, lines, [["position", new Float32Array(edges), 3]]),
      face: vertexArray(gl, lines, [["position", new Float32Array([d, c, a, b].flat()), 3],
        ["uv", new Float32Array([0, 1, 1, 1, 0, 0, 1, 0]), 2]]),
    };
  }

  #look(places) {
    if (!this.framed) {
      this.orbit.frame(places, this.eye_m);
      this.framed = true;
      return;
    }
    for (const i of [0, 2]) {
      const middle = places.reduce((sum, p) => sum + p[i], 0) / places.length;
      this.orbit.target[i] += 0.06 * (middle - this.orbit.target[i]);
    }
  }

  #draw() {
    this.again = this.busy;
    if (this.busy) return;
    const { canvas, pace } = this;
    const width = Math.round(canvas.clientWidth * pace.ratio), height = Math.round(canvas.clientHeight * pace.ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.gl.viewport(0, 0, width, height);
    const eye = this.orbit.eye;
    const view = times(perspective(FOV_Y, width / height, 0.05, 200), lookAt(eye, this.orbit.target));
    this.#everything(view, eye);
    this.#label(view);
    this.drawn += 1;
    this.busy = true;
    pace.measure(this.gl).then(() => {
      this.busy = false;
      if (this.again) pace.changed("scene");
    });
  }

  #everything(view, eye) {
    const { gl } = this;
    gl.clearColor(0.043, 0.059, 0.078, 1);
    gl.clearStencil(0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.#drawFloor(view);
    if (this.show.camera && this.frustum) this.#drawCamera(view);
    const spare = this.pace.spare && this.orbit.distance > NEAR_M;
    if (this.show.body) this.avatars.draw(view, eye, this.people, spare);
    if (!this.show.bones) return;
    if (this.show.body) gl.clear(gl.DEPTH_BUFFER_BIT);  // seen through the skin
    this.skeletons.draw(view, eye, this.people, this.show.body ? 0.5 : 1, !this.show.body, spare);
  }

  #drawFloor(view) {
    const { gl, floor } = this;
    floor.use();
    floor.matrix("view", view);
    floor.numbers("middle", this.orbit.target);
    gl.bindVertexArray(this.plane.array);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  #drawCamera(view) {
    const { gl, lines, frustum } = this;
    lines.use();
    lines.matrix("view", view);
    lines.flag("textured", true);
    lines.numbers("colour", [1, 1, 1, 0.9]);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.bindVertexArray(frustum.face.array);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    lines.flag("textured", false);
    lines.numbers("colour", [0.75, 0.82, 0.9, 1]);
    gl.bindVertexArray(frustum.edges.array);
    gl.drawArrays(gl.LINES, 0, frustum.count);
    gl.bindVertexArray(null);
  }

  #label(view) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const seen = new Set();
    for (const person of this.people) {
      const [x, y, z] = person.places[this.head];
      const at = project(view, [x, y + 0.24, z], width, height);
      if (!at) continue;
      seen.add(person.id);
      const span = this.#name(person);
      span.style.transform = `translate(${at[0].toFixed(1)}px, ${at[1].toFixed(1)}px) translate(-50%, -100%)`;
    }
    for (const [id, span] of this.names) {
      if (!seen.has(id)) { span.remove(); this.names.delete(id); }
    }
  }

  #name(person) {
    let span = this.names.get(person.id);
    if (!span) {
      span = document.createElement("span");
      this.names.set(person.id, span);
      this.labels.append(span);
    }
    const text = `person ${person.slot}${person.held ? " · not seen" : ""}`;
    if (span.textContent !== text) span.textContent = text;
    span.style.color = colourOf(person.slot);
    return span;
  }
}
