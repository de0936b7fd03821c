// Bones as flat diamonds that face the viewer: one small drawing call a person. Without a
// graphics card each of many copies of a shape costs as much as a drawing of its own.

import { Program, vertexArray } from "./gl.js";
import { rgbOf } from "./colours.js";
import { cross, minus, plus, unit } from "./math.js";
import { LINE_FRAGMENT, LINE_VERTEX } from "./shaders.js";

const MOST = 60;
const THICKER = 1.3;  // where its joints would stand out

export class Slivers {
  constructor(gl) {
    this.gl = gl;
    this.program = new Program(gl, LINE_VERTEX, LINE_FRAGMENT);
    this.data = new Float32Array(MOST * 18);
    this.shape = vertexArray(gl, this.program, [["position", this.data, 3, { dynamic: true }]]);
  }

  // bones(person, put) calls put(from, to, radius) for each.
  draw(view, eye, people, opacity, bones) {
    const { gl, program, data } = this;
    program.use();
    program.matrix("view", view);
    program.flag("textured", false);
    gl.bindVertexArray(this.shape.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.shape.buffers[0]);
    for (const person of people) {
      let count = 0;
      bones(person, (from, to, radius) => {
        if (count < MOST) data.set(diamond(from, to, THICKER * radius, eye), 18 * count++);
      });
      const dim = person.held ? 0.45 : 1;
      program.numbers("colour", [...rgbOf(person.slot).map((v) => v * dim), opacity]);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data, 0, 18 * count);
      gl.drawArrays(gl.TRIANGLES, 0, 6 * count);
    }
    gl.bindVertexArray(null);
  }
}

// Thickest near its start, as the spindles are.
function diamond(from, to, radius, eye) {
  const along = minus(to, from);
  const aside = unit(cross(along, minus(eye, from))).map((v) => v * radius);
  const middle = plus(from, along, 0.2);
  const left = plus(middle, aside, -1), right = plus(middle, aside);
  return [...from, ...left, ...right, ...right, ...left, ...to];
}
