// Drag to turn, shift-drag or right-drag to move, scroll or pinch to zoom, arrow keys too.

import { minus, plus, cross, unit } from "./math.js";

const HOME = { yaw: 0.8, pitch: 0.25, distance: 4.6 };

const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;

export class Orbit {
  constructor(canvas) {
    this.target = [0, 0.9, -3];
    this.touched = false;
    this.pointers = new Map();
    this.onChange = () => {};
    new ResizeObserver(() => this.onChange()).observe(canvas);
    Object.assign(this, HOME);
    canvas.addEventListener("pointerdown", (e) => this.#down(canvas, e));
    canvas.addEventListener("pointermove", (e) => this.#move(e));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (e) => this.pointers.delete(e.pointerId));
    }
    canvas.addEventListener("contextmenu", (e) => e.preventDefault());
    canvas.addEventListener("wheel", (e) => this.#wheel(e), { passive: false });
    canvas.addEventListener("keydown", (e) => this.#key(e));
  }

  get eye() {
    const flat = Math.cos(this.pitch) * this.distance;
    return plus(this.target, [
      Math.sin(this.yaw) * flat, Math.sin(this.pitch) * this.distance, Math.cos(this.yaw) * flat]);
  }

  // Look at the middle of everybody, from so far that all are seen, and the camera too.
  frame(places, camera) {
    if (!places.length) return;
    const [x, z] = [0, 2].map((i) => middle(places.map((p) => p[i])));
    const span = Math.max(...places.map((p) => Math.hypot(p[0] - x, p[2] - z)));
    const away = camera ? Math.min(Math.hypot(camera[0] - x, camera[2] - z), 8) : 3;
    const towards = camera ? 0.42 : 0;
    this.target = [x + towards * ((camera?.[0] ?? x) - x), 0.85, z + towards * ((camera?.[2] ?? z) - z)];
    Object.assign(this, HOME);
    this.distance = 2.2 + 0.9 * away + 0.9 * span;
  }

  #down(canvas, event) {
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.touched = true;
  }

  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    const spread = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
    if (other) this.#zoom(spread(before) / Math.max(spread(now), 1));
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (event.shiftKey || event.buttons & 2 || other) this.#slide(dx, dy);
    else this.#turn(dx, dy);
    this.pointers.set(event.pointerId, now);
  }

  #turn(dx, dy) {
    this.yaw -= dx * 0.007;
    this.pitch = Math.min(1.5, Math.max(-0.25, this.pitch + dy * 0.006));
    this.onChange();
  }

  #slide(dx, dy) {
    const ahead = unit(minus(this.target, this.eye));
    const right = unit(cross(ahead, [0, 1, 0])), up = cross(right, ahead);
    const step = this.distance * 0.0014;
    this.target = plus(plus(this.target, right, -dx * step), up, dy * step);
    this.onChange();
  }

  #wheel(event) {
    event.preventDefault();
    this.touched = true;
    this.#zoom(Math.exp(Math.sign(event.deltaY) * 0.12));
  }

  #zoom(factor) {
    this.distance = Math.min(40, Math.max(0.6, this.distance * factor));
    this.onChange();
  }

  #key(event) {
    const turns = { ArrowLeft: [20, 0], ArrowRight: [-20, 0], ArrowUp: [0, 20], ArrowDown: [0, -20] };
    if (turns[event.key]) this.#turn(...turns[event.key]);
    else if (event.key === "+" || event.key === "-") this.#zoom(event.key === "+" ? 0.88 : 1.14);
    else return;
    this.touched = true;
    event.preventDefault();
  }
}
