// Skinned bodies: every person's rotations on the avatar's own bones.

import { imageTexture, Program, vertexArray } from "./gl.js";
import { lighter } from "./lighter.js";
import { dot, minus, quatRows, quatTimes } from "./math.js";
import { rgbOf } from "./colours.js";
import { BODY_FRAGMENT, BODY_VERTEX } from "./shaders.js";

const BONES = 55;

export class Avatars {
  constructor(gl, skeleton) {
    this.gl = gl;
    this.skeleton = skeleton;  // {parents, order, index}
    this.program = new Program(gl, BODY_VERTEX, BODY_FRAGMENT);
    this.mesh = null;
    this.next = nextBones(skeleton.index);
  }

  async load(head, data, start) {
    const mesh = unpacked(head, data, start);
    const pictures = await Promise.all(mesh.images.map(
      (bytes) => createImageBitmap(new Blob([bytes])).catch(() => null)));
    this.mesh?.vertices.free();
    const gl = this.gl;
    mesh.vertices = vertexArray(gl, this.program, [
      ["position", mesh.position, 3], ["normal", mesh.normal, 3], ["uv", mesh.uv, 2],
      ["bone", mesh.bone, 4, { integer: true }], ["weight", mesh.weight, 4],
    ], mesh.triangle);
    mesh.whole = { parts: mesh.parts, indices: mesh.vertices.buffers.at(-1), count: mesh.triangle.length };
    mesh.light = null;
    mesh.textures = pictures.map((picture) => imageTexture(gl, picture));
    this.mesh = mesh;
  }

  // Rows of every bone's matrix for one person, (55 · 3) vec4; places of the bones beside it.
  pose(person) {
    const { parents, order } = this.skeleton;
    const { bone_m, present, hip_m, fits } = this.mesh;
    const local = folded(person.quats, present, this.skeleton);
    const scale = person.hip_m > 0.2 ? person.hip_m / hip_m : 1;
    const world = new Array(BONES), place = new Array(BONES);
    const rows = new Float32Array(BONES * 12);
    for (const b of order) {
      const p = parents[b];
      world[b] = p < 0 ? local[b] : quatTimes(world[p], local[b]);
      place[b] = fits ? person.places[b]
        : p < 0 ? person.root : moved(place[p], world[p], bone_m[b], bone_m[p], scale);
      const turn = quatRows(world[b]);
      if (fits) this.#stretch(turn, b, person.places, scale);
      for (let r = 0; r < 3; r++) {
        const [x, y, z] = turn[r], rest = bone_m[b];
        const away = scale * (x * rest[0] + y * rest[1] + z * rest[2]);
        rows.set([scale * x, scale * y, scale * z, place[b][r] - away], (b * 3 + r) * 4);
      }
    }
    return rows;
  }

  // Along the bone, so that the mesh is as long as the person's limb.
  #stretch(turn, b, places, scale) {
    const child = this.next[b];
    if (child === undefined) return;
    const rest = minus(this.mesh.bone_m[child], this.mesh.bone_m[b]);
    const length = Math.hypot(...rest);
    const factor = Math.hypot(...minus(places[child], places[b])) / (scale * length);
    if (!(factor > 0.5 && factor < 2)) return;
    const along = rest.map((v) => v / length);
    for (const row of turn) {
      const more = (factor - 1) * dot(row, along);
      along.forEach((v, i) => { row[i] += more * v; });
    }
  }

  // Without shadows and with fewer triangles where ``spare``.
  draw(view, eye, people, spare) {
    if (!this.mesh) return;
    const { gl, program } = this;
    const { parts, indices, count } = spare ? this.#light() : this.mesh.whole;
    program.use();
    program.matrix("view", view);
    program.numbers("eye", eye);
    gl.bindVertexArray(this.mesh.vertices.array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
    const posed = people.map((person) => [person, this.pose(person)]);
    if (!spare) this.#shadows(posed, count);
    program.flag("shadow", false);
    for (const [person, rows] of posed) {
      program.rows("rows", rows);
      program.numbers("opacity", [person.held ? 0.35 + 0.5 * person.confidence : 1]);
      for (const part of parts) this.#part(part, person);
    }
    gl.bindVertexArray(null);
  }

  #light() {
    const { gl, mesh } = this;
    if (!mesh.light) {
      const { triangle, parts } = lighter(mesh);
      const indices = gl.createBuffer();
      gl.bindVertexArray(mesh.vertices.array);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangle, gl.STATIC_DRAW);
      mesh.vertices.buffers.push(indices);
      mesh.light = { parts, indices, count: triangle.length };
    }
    return mesh.light;
  }

  // On the floor, once per pixel however many layers lie over each other.
  #shadows(posed, count) {
    const { gl, program } = this;
    program.flag("shadow", true);
    gl.enable(gl.STENCIL_TEST);
    gl.stencilFunc(gl.EQUAL, 0, 255);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    gl.depthMask(false);
    for (const [person, rows] of posed) {
      program.rows("rows", rows);
      program.numbers("opacity", [person.held ? 0.5 : 1]);
      gl.drawElements(gl.TRIANGLES, count, gl.UNSIGNED_INT, 0);
    }
    gl.depthMask(true);
    gl.disable(gl.STENCIL_TEST);
  }

  #part(part, person) {
    const { gl, program, mesh } = this;
    const tint = part.tinted ? rgbOf(person.slot) : [1, 1, 1];
    const [r, g, b, a] = part.colour;
    program.numbers("colour", [r * tint[0], g * tint[1], b * tint[2], part.blended ? a : 1]);
    program.flag("textured", part.texture >= 0);
    program.flag("cutout", part.cutout);
    if (part.texture >= 0) gl.bindTexture(gl.TEXTURE_2D, mesh.textures[part.texture]);
    gl.drawElements(gl.TRIANGLES, part.count, gl.UNSIGNED_INT, part.first * 4);
  }
}

function nextBones(index) {
  const pairs = ["Spine Chest", "Chest UpperChest", "UpperChest Neck", "Neck Head",
    ...["Left", "Right"].flatMap((s) => ["UpperArm LowerArm", "LowerArm Hand", "UpperLeg LowerLeg", "LowerLeg Foot"]
      .map((pair) => pair.split(" ").map((name) => s + name).join(" ")))];
  return Object.fromEntries(pairs.map((pair) => pair.split(" ").map((name) => index[name])));
}

function moved(parent, turn, rest, parentRest, scale) {
  const d = [0, 1, 2].map((i) => (rest[i] - parentRest[i]) * scale);
  return quatRows(turn).map((row, i) => parent[i] + row[0] * d[0] + row[1] * d[1] + row[2] * d[2]);
}

// Rotations of bones that the avatar lacks go to their neighbours, as in what is sent.
function folded(quats, present, { parents, index }) {
  const q = quats.map((value) => value);
  for (const name of ["UpperChest", "Chest"]) {
    const b = index[name];
    if (!present[b]) { q[parents[b]] = quatTimes(q[parents[b]], q[b]); q[b] = [0, 0, 0, 1]; }
  }
  for (const side of ["Left", "Right"]) {
    const b = index[`${side}Shoulder`], child = index[`${side}UpperArm`];
    if (!present[b]) { q[child] = quatTimes(q[b], q[child]); q[b] = [0, 0, 0, 1]; }
  }
  return q;
}

function unpacked(head, data, start) {
  const { vertices: n, triangles } = head;
  let at = start;
  const take = (Type, count) => {
    const bytes = count * Type.BYTES_PER_ELEMENT;
    const array = new Type(data.slice(at, at + bytes));
    at += bytes;
    return array;
  };
  return {
    ...head,
    position: take(Float32Array, 3 * n), normal: take(Float32Array, 3 * n),
    uv: take(Float32Array, 2 * n), bone: take(Uint8Array, 4 * n), weight: take(Uint8Array, 4 * n),
    triangle: take(Uint32Array, 3 * triangles),
    images: head.images.map((bytes) => take(Uint8Array, bytes)),
  };
}
