// What the graphics card runs. Light comes from above and a little from the viewer.

const LIGHT = `
vec3 lit(vec3 colour, vec3 n, vec3 toEye) {
  float sky = 0.5 + 0.5 * n.y;
  float key = max(dot(n, normalize(vec3(0.45, 0.8, 0.5))), 0.0);
  float rim = pow(1.0 - max(dot(n, toEye), 0.0), 3.0);
  return colour * (mix(0.34, 0.62, sky) + 0.52 * key) + 0.16 * rim;
}`;

export const BODY_VERTEX = `#version 300 es
uniform mat4 view;
uniform vec4 rows[165];  // 55 bones, three rows each
uniform bool shadow;
in vec3 position; in vec3 normal; in vec2 uv; in uvec4 bone; in vec4 weight;
out vec3 vNormal; out vec2 vUv; out vec3 vPlace;
void main() {
  vec4 p = vec4(position, 1.0), r0 = vec4(0.0), r1 = vec4(0.0), r2 = vec4(0.0);
  for (int i = 0; i < 4; i++) {
    int k = int(bone[i]) * 3;
    r0 += weight[i] * rows[k]; r1 += weight[i] * rows[k + 1]; r2 += weight[i] * rows[k + 2];
  }
  vPlace = vec3(dot(r0, p), dot(r1, p), dot(r2, p));
  vNormal = vec3(dot(r0.xyz, normal), dot(r1.xyz, normal), dot(r2.xyz, normal));
  vUv = uv;
  if (shadow) vPlace = vec3(vPlace.x - 0.25 * vPlace.y, 0.004, vPlace.z - 0.2 * vPlace.y);
  gl_Position = view * vec4(vPlace, 1.0);
}`;

export const BODY_FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 colour; uniform sampler2D image; uniform bool textured; uniform bool cutout;
uniform bool shadow; uniform vec3 eye; uniform float opacity;
in vec3 vNormal; in vec2 vUv; in vec3 vPlace;
out vec4 result;
${LIGHT}
void main() {
  if (shadow) { result = vec4(0.0, 0.0, 0.0, 0.38 * opacity); return; }
  vec4 base = colour * (textured ? texture(image, vUv) : vec4(1.0));
  if (cutout && base.a < 0.5) discard;
  vec3 toEye = normalize(eye - vPlace), n = normalize(vNormal);
  if (dot(n, toEye) < -0.2) n = -n;
  result = vec4(lit(base.rgb, n, toEye), (cutout ? 1.0 : base.a) * opacity);
}`;

export const BONE_VERTEX = `#version 300 es
uniform mat4 view;
in vec3 position; in vec3 normal;
in vec3 from; in vec3 to; in vec4 tint;  // one of each per bone; the tint's a is its radius
out vec3 vNormal; out vec3 vPlace; out vec3 vTint;
void main() {
  vec3 along = to - from;
  float size = length(along);
  vec3 z = size > 1e-5 ? along / size : vec3(0.0, 1.0, 0.0);
  vec3 x = normalize(cross(abs(z.y) < 0.9 ? vec3(0.0, 1.0, 0.0) : vec3(1.0, 0.0, 0.0), z));
  mat3 turn = mat3(x, cross(z, x), z);
  bool ball = size < 1e-5;
  vec3 shape = ball ? position * tint.a : vec3(position.xy * tint.a, (position.z * 0.5 + 0.5) * size);
  vPlace = from + turn * shape;
  vNormal = turn * normal; vTint = tint.rgb;
  gl_Position = view * vec4(vPlace, 1.0);
}`;

export const BONE_FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 eye; uniform float opacity;
in vec3 vNormal; in vec3 vPlace; in vec3 vTint;
out vec4 result;
${LIGHT}
void main() { result = vec4(lit(vTint, normalize(vNormal), normalize(eye - vPlace)), opacity); }`;

export const FLOOR_VERTEX = `#version 300 es
uniform mat4 view; uniform vec3 middle;
in vec2 position;
out vec3 vPlace;
void main() {
  vPlace = vec3(position.x * 30.0 + middle.x, 0.0, position.y * 30.0 + middle.z);
  gl_Position = view * vec4(vPlace, 1.0);
}`;

export const FLOOR_FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 middle;
in vec3 vPlace;
out vec4 result;
float line(vec2 p, float width) {
  vec2 away = abs(fract(p - 0.5) - 0.5), soft = fwidth(p);
  vec2 on = 1.0 - smoothstep(soft * width, soft * (width + 1.0), away);
  return max(on.x, on.y);
}
void main() {
  float fade = exp(-0.012 * pow(length(vPlace.xz - middle.xz), 2.0));
  vec3 colour = vec3(0.075, 0.095, 0.125);
  colour = mix(colour, vec3(0.16, 0.20, 0.26), line(vPlace.xz * 2.0, 0.2) * 0.45);
  colour = mix(colour, vec3(0.23, 0.29, 0.37), line(vPlace.xz, 0.5));
  float x = 1.0 - smoothstep(0.0, 1.6 * fwidth(vPlace.z), abs(vPlace.z));
  float z = 1.0 - smoothstep(0.0, 1.6 * fwidth(vPlace.x), abs(vPlace.x));
  colour = mix(colour, vec3(0.62, 0.28, 0.26), x * 0.8);
  colour = mix(colour, vec3(0.24, 0.42, 0.68), z * 0.8);
  result = vec4(mix(vec3(0.043, 0.059, 0.078), colour, fade), 1.0);
}`;

export const LINE_VERTEX = `#version 300 es
uniform mat4 view;
in vec3 position; in vec2 uv;
out vec2 vUv;
void main() { vUv = uv; gl_Position = view * vec4(position, 1.0); }`;

export const LINE_FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 colour; uniform sampler2D image; uniform bool textured;
in vec2 vUv;
out vec4 result;
void main() { result = textured ? vec4(texture(image, vUv).rgb, colour.a) : colour; }`;
