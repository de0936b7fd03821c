// Bones as slim spindles and joints as balls, all in one drawing call each.

import { Program, vertexArray } from "./gl.js";
import { rgbOf } from "./colours.js";
import { BONE_FRAGMENT, BONE_VERTEX } from "./shaders.js";
import { Slivers } from "./slivers.js";

const MOST = 16 * 60;
const FLOATS = 10;  // from, to, tint and radius
const FINGER = /Thumb|Index|Middle|Ring|Little|Eye|Jaw/;

export class Skeletons {
  constructor(gl, skeleton) {
    this.gl = gl;
    this.program = new Program(gl, BONE_VERTEX, BONE_FRAGMENT);
    this.links = skeleton.parents.map((p, b) => [p, b]).filter(([p]) => p >= 0);
    this.fine = skeleton.bones.map((name) => FINGER.test(name));
    this.data = new Float32Array(MOST * FLOATS);
    this.spindle = this.#shape(spindle());
    this.ball = this.#shape(ball());
    this.slivers = new Slivers(gl);
  }

  #shape([position, normal]) {
    const stride = FLOATS * 4;
    const each = { each: true, dynamic: true, stride };
    const made = vertexArray(this.gl, this.program, [
      ["position", position, 3], ["normal", normal, 3],
      ["from", this.data, 3, { ...each, offset: 0 }],
      ["to", this.data, 3, { ...each, offset: 12 }],
      ["tint", this.data, 4, { ...each, offset: 24 }],
    ]);
    return { ...made, vertices: position.length / 3 };
  }

  draw(view, eye, people, opacity, withFine, spare) {
    if (spare) {
      this.slivers.draw(view, eye, people, opacity, (person, put) => this.#bones(person, withFine, put));
      return;
    }
    const { gl, program } = this;
    program.use();
    program.matrix("view", view);
    program.numbers("eye", eye);
    program.numbers("opacity", [opacity]);
    this.#each(this.spindle, people, (person, put) => this.#bones(person, withFine, put));
    this.#each(this.ball, people, (person, put) => {
      person.places.forEach((place, b) => {
        if (withFine || !this.fine[b]) put(place, place, this.fine[b] ? 0.008 : 0.022);
      });
    });
  }

  #bones(person, withFine, put) {
    for (const [p, b] of this.links) {
      if (withFine || !this.fine[b]) put(person.places[p], person.places[b], this.fine[b] ? 0.006 : 0.017);
    }
  }

  #each(shape, people, fill) {
    const { gl, data } = this;
    let count = 0;
    for (const person of people) {
      const [r, g, b] = rgbOf(person.slot), dim = person.held ? 0.45 : 1;
      fill(person, (from, to, radius) => {
        if (count < MOST) data.set([...from, ...to, r * dim, g * dim, b * dim, radius], FLOATS * count++);
      });
    }
    gl.bindVertexArray(shape.array);
    for (const buffer of shape.buffers.slice(2)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, data, 0, count * FLOATS);
    }
    gl.drawArraysInstanced(gl.TRIANGLES, 0, shape.vertices, count);
    gl.bindVertexArray(null);
  }
}

// z from -1 to 1, thickest near its start.
function spindle() {
  return solid((corner) => {
    const ring = [...Array(6).keys()].map((i) => {
      const a = i * Math.PI / 3;
      return [Math.cos(a), Math.sin(a), -0.6];
    });
    ring.forEach((point, i) => {
      const next = ring[(i + 1) % 6];
      corner([0, 0, -1], next, point);
      corner(point, next, [0, 0, 1]);
    });
  });
}

function ball() {
  const at = (i, j) => {
    const a = i * Math.PI / 5, b = j * Math.PI / 5;
    return [Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b), Math.cos(a)];
  };
  return solid((corner) => {
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 10; j++) {
        corner(at(i, j), at(i + 1, j), at(i + 1, j + 1));
        corner(at(i, j), at(i + 1, j + 1), at(i, j + 1));
      }
    }
  });
}

function solid(build) {
  const position = [], normal = [];
  build((a, b, c) => {
    for (const point of [a, b, c]) {
      const length = Math.hypot(...point);
      position.push(...point);
      normal.push(...point.map((v) => v / length));
    }
  });
  return [new Float32Array(position), new Float32Array(normal)];
}
