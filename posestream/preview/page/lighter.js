// A mesh with a third of its triangles, for drawing without a graphics card.

const CELL = 0.04;  // of the height of the hips: some three centimetres
const CELLS = 512, UV_CELLS = 8;

// Indices and parts over the same vertices. One vertex stands for all that lie in one cube, move
// with the same bone and lie together in the textures: else thighs grow together, textures smear.
export function lighter({ position, uv, bone, weight, triangle, parts, hip_m }) {
  const size = CELL * Math.max(hip_m, 1e-3);
  const cell = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor(value / size) + CELLS / 2));
  const place = (value) => Math.floor((value - Math.floor(value)) * UV_CELLS);
  const first = new Map();
  const stands = Uint32Array.from({ length: position.length / 3 }, (_, v) => {
    const [x, y, z] = [0, 1, 2].map((i) => cell(position[3 * v + i]));
    const cube = ((x * CELLS + y) * CELLS + z) * 64 + strongest(bone, weight, v);
    const key = (cube * UV_CELLS + place(uv[2 * v])) * UV_CELLS + place(uv[2 * v + 1]);
    if (!first.has(key)) first.set(key, v);
    return first.get(key);
  });
  const kept = [];
  const ranges = parts.map((part) => {
    const start = kept.length;
    for (let i = part.first; i < part.first + part.count; i += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => stands[triangle[i + k]]);
      if (a !== b && b !== c && c !== a) kept.push(a, b, c);
    }
    return { ...part, first: start, count: kept.length - start };
  });
  return { triangle: new Uint32Array(kept), parts: ranges };
}

function strongest(bone, weight, v) {
  let best = 4 * v;
  for (let k = 4 * v + 1; k < 4 * v + 4; k++) if (weight[k] > weight[best]) best = k;
  return bone[best];
}
