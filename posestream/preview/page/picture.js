// The camera's picture with the joints that were found in it.

import { colourOf } from "./colours.js";

const LEAST_SCORE = 0.3;

export class Picture {
  #next = null;  // decoded, not yet drawn

  constructor(canvas, limbs, pace) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.limbs = limbs;
    this.pace = pace;
    this.mirrored = false;
    this.shown = 0;
    this.moment = -1;
    this.onShown = () => {};
    pace.draws("picture", () => this.#show());
  }

  // Decodes it aside, for the next drawing.
  async take(head, data, start) {
    const [n, joints] = head.joints;
    const values = new Float32Array(data.slice(start, start + n * joints * 12));
    const jpeg = new Blob([new Uint8Array(data, start + n * joints * 12)], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(jpeg);
    this.#next?.bitmap.close();
    this.#next = { head, bitmap, values };
    this.pace.changed("picture");
  }

  #show() {
    const { head, bitmap, values } = this.#next;
    this.#next = null;
    this.#draw(head, bitmap, values);
    this.shown += 1;
    this.moment = head.index;
    this.onShown(bitmap, head);
    bitmap.close();
  }

  // How wide a picture is wanted, as it is seen.
  get width() {
    return this.canvas.clientWidth * (this.pace.spare ? 1 : Math.min(devicePixelRatio || 1, 2));
  }

  #draw({ size, slot, joints }, bitmap, values) {
    const { canvas, pen } = this;
    const scale = Math.max(1, this.width / size[0]);
    const [width, height] = size.map((v) => Math.round(v * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    pen.setTransform(this.mirrored ? -1 : 1, 0, 0, 1, this.mirrored ? width : 0, 0);
    pen.drawImage(bitmap, 0, 0, width, height);
    slot.forEach((who, row) => this.#person(who, values.subarray(row * joints[1] * 3), width, height));
  }

  #person(slot, values, width, height) {
    const { pen } = this;
    const at = (j) => [values[j * 3] * width, values[j * 3 + 1] * height];
    const sure = (j) => values[j * 3 + 2] >= LEAST_SCORE && Number.isFinite(values[j * 3]);
    pen.strokeStyle = pen.fillStyle = colourOf(slot);
    const fine = width / 640;
    pen.lineWidth = 3 * fine;
    pen.lineCap = "round";
    pen.beginPath();
    for (const [a, b] of this.limbs) {
      if (sure(a) && sure(b)) { pen.moveTo(...at(a)); pen.lineTo(...at(b)); }
    }
    pen.stroke();
    const points = [...Array(32).keys()].filter(sure).map(at);
    for (const [x, y] of points) { pen.beginPath(); pen.arc(x, y, 3 * fine, 0, 7); pen.fill(); }
    if (points.length) this.#name(slot, points, width);
  }

  #name(slot, points, width) {
    const { pen } = this;
    const text = slot < 0 ? "?" : String(slot);
    const x = points.reduce((sum, p) => sum + p[0], 0) / points.length;
    const fine = width / 640;
    const y = Math.max(22 * fine, Math.min(...points.map((p) => p[1])) - 14 * fine);
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);  // letters are never mirrored
    const place = this.mirrored ? width - x : x;
    pen.beginPath();
    pen.arc(place, y, 12 * fine, 0, 7);
    pen.fill();
    pen.fillStyle = "#0d1117";
    pen.font = `bold ${15 * fine}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, place, y + fine);
    pen.restore();
  }
}
