// One minute of figures as lines.

const SECONDS = 60;

export class Chart {
  constructor(canvas, colours, least) {
    Object.assign(this, { canvas, colours, least, points: [] });
  }

  add(values) {
    const now = performance.now() / 1000;
    this.points.push([now, values]);
    while (now - this.points[0][0] > SECONDS) this.points.shift();
    this.#draw(now);
  }

  #draw(now) {
    const { canvas, points } = this;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const top = nice(Math.max(this.least, ...points.flatMap(([, v]) => v.map((x) => x ?? 0))) * 1.08);
    const x = (t) => width - (now - t) / SECONDS * (width - 30), y = (v) => height - 4 - v / top * (height - 14);
    pen.font = "10px system-ui, sans-serif";
    for (const level of [top / 2, top]) {
      pen.strokeStyle = "#1f2731";
      pen.fillStyle = "#6d7988";
      pen.beginPath(); pen.moveTo(28, y(level)); pen.lineTo(width, y(level)); pen.stroke();
      pen.fillText(String(Math.round(level * 10) / 10), 4, y(level) + 4);
    }
    this.colours.forEach((colour, i) => this.#line(pen, colour, i, x, y));
  }

  #line(pen, colour, i, x, y) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.beginPath();
    let drawing = false;
    for (const [t, values] of this.points) {
      if (values[i] === null || values[i] === undefined) { drawing = false; continue; }
      if (drawing) pen.lineTo(x(t), y(values[i]));
      else pen.moveTo(x(t), y(values[i]));
      drawing = true;
    }
    pen.stroke();
  }
}

// The next larger of 1, 2, 5, 10, 20, 50 …
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}
