"""GLSL of the renderer."""

from __future__ import annotations

from typing import Final

VERTEX: Final = """
#version 330
uniform mat4 world_to_clip;
in vec3 position;
in vec3 normal;
in vec2 uv;
out vec3 world;
out vec3 across;
out vec2 texel;
void main() {
    world = position;
    across = normal;
    texel = uv;
    gl_Position = world_to_clip * vec4(position, 1.0);
}
"""

SHADOW_FRAGMENT: Final = """
#version 330
uniform sampler2D picture;
uniform float cut;
in vec2 texel;
void main() {
    if (cut > 0.0 && texture(picture, texel).a < cut) discard;
}
"""

FRAGMENT: Final = """
#version 330
#define LIGHTS %d
uniform sampler2D picture;
uniform sampler2DShadow shadow;  // an atlas, side x side lights
uniform int side;
const float spread = 0.0024;
const vec2 taps[4] = vec2[](vec2(0.4, 0.9), vec2(0.9, -0.4), vec2(-0.4, -0.9), vec2(-0.9, 0.4));
uniform mat4 world_to_light[LIGHTS];
uniform vec3 towards[LIGHTS];
uniform vec3 light_rgb[LIGHTS];
uniform vec3 eye;
uniform float wrap;       // light that creeps round the edge: skin and cloth
uniform float gloss;
uniform float alpha_low;  // fragments outside [low, high) are dropped
uniform float alpha_high;
in vec3 world;
in vec3 across;
in vec2 texel;
out vec4 colour;

vec3 linear(vec3 c) { return pow(c, vec3(2.2)); }

void main() {
    vec4 base = texture(picture, texel);
    if (base.a < alpha_low || base.a >= alpha_high) discard;
    vec3 view = normalize(eye - world);
    vec3 n = normalize(across);
    if (dot(n, view) < 0.0 && !gl_FrontFacing) n = -n;
    vec3 sum = vec3(0.16, 0.15, 0.14) * (0.75 - 0.25 * n.y);
    vec3 shine = vec3(0.0);
    for (int k = 0; k < LIGHTS; k++) {
        float facing = dot(n, towards[k]);
        float lit = max((facing + wrap) / (1.0 + wrap), 0.0);
        if (lit <= 0.0) continue;
        vec4 at = world_to_light[k] * vec4(world + n * 0.012, 1.0);
        vec3 s = at.xyz / at.w * 0.5 + 0.5;
        float open = 1.0;
        if (all(greaterThan(s.xy, vec2(0.002))) && all(lessThan(s.xy, vec2(0.998)))) {
            vec2 tile = vec2(k %% side, k / side);
            open = 0.0;
            for (int t = 0; t < 2; t++) {
                vec2 tap = clamp(s.xy + spread * taps[2 * t + (k & 1)], 0.002, 0.998);
                open += 0.5 * texture(shadow, vec3((tile + tap) / float(side), s.z - 0.0015));
            }
        }
        sum += light_rgb[k] * lit * open;
        vec3 half_way = normalize(towards[k] + view);
        shine += light_rgb[k] * open * pow(max(dot(n, half_way), 0.0), 28.0);
    }
    vec3 rgb = linear(base.rgb) * sum + gloss * shine;
    rgb = rgb * (1.0 + rgb / 4.0) / (1.0 + rgb);
    colour = vec4(pow(rgb * 1.35, vec3(1.0 / 2.2)), base.a);
}
"""
