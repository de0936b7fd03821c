"""GLSL of the crowd renderer: skinned people and plain things under one sun and one sky."""

from __future__ import annotations

from typing import Final

MAX_BONES: Final = 128

SKINNED: Final = """
#version 330
layout(std140) uniform Pose { vec4 rows[MAX_ROWS]; };
uniform mat4 world_to_clip;
in vec3 position;
in vec3 normal;
in vec2 uv;
in uvec4 bone;
in vec4 weight;
out vec3 world;
out vec3 across;
out vec2 texel;
out vec3 rest;
void main() {
    vec4 x = vec4(0.0), y = vec4(0.0), z = vec4(0.0);
    for (int k = 0; k < 4; k++) {
        int row = int(bone[k]) * 3;
        x += weight[k] * rows[row];
        y += weight[k] * rows[row + 1];
        z += weight[k] * rows[row + 2];
    }
    vec4 p = vec4(position, 1.0);
    world = vec3(dot(x, p), dot(y, p), dot(z, p));
    across = vec3(dot(x.xyz, normal), dot(y.xyz, normal), dot(z.xyz, normal));
    texel = uv;
    rest = position;
    gl_Position = world_to_clip * vec4(world, 1.0);
}
""".replace("MAX_ROWS", str(3 * MAX_BONES))

FIXED: Final = """
#version 330
uniform mat4 world_to_clip;
in vec3 position;
in vec3 normal;
in vec2 uv;
out vec3 world;
out vec3 across;
out vec2 texel;
out vec3 rest;
void main() {
    world = position;
    across = normal;
    texel = uv;
    rest = position;
    gl_Position = world_to_clip * vec4(position, 1.0);
}
"""

LIT: Final = """
#version 330
uniform sampler2D picture;
uniform sampler2D folds;
uniform sampler2DShadow sun_map;
uniform sampler2DShadow sky_map;
uniform mat4 world_to_sun;
uniform mat4 world_to_sky;
uniform vec3 sun_towards, sky_towards, fill_towards;
uniform vec3 sun_rgb, sky_rgb, ground_rgb, fill_rgb;
uniform float sun_blur;    // width of the sun's penumbra in its map
uniform vec3 eye;
uniform mat3 recolour;
uniform float wrap;        // light that creeps round the edge: skin and cloth
uniform float gloss;
uniform float bump;
uniform float exposure;
uniform float alpha_low;   // fragments outside [low, high) are dropped
uniform float alpha_high;
in vec3 world;
in vec3 across;
in vec2 texel;
in vec3 rest;
out vec4 colour;

// every line costs on a renderer without a GPU, which runs both sides of each branch
float open_to(sampler2DShadow map, mat4 to, vec3 p, float blur, float bias) {
    vec3 c = (to * vec4(p, 1.0)).xyz;
    vec3 s = c * 0.5 + 0.5;
    s.z = min(s.z - bias, 0.9999);
    float beyond = step(0.97, max(abs(c.x), abs(c.y)));  // nothing is known of shadows there
    return max(beyond, 0.5 * (texture(map, s + vec3(blur, -0.4 * blur, 0.0))
                              + texture(map, s - vec3(blur, -0.4 * blur, 0.0))));
}

void main() {
    vec4 base = texture(picture, texel);
    if (base.a < alpha_low || base.a >= alpha_high) discard;
    vec3 view = normalize(eye - world);
    vec3 n = normalize(across);
    if (dot(n, view) < 0.0) n = -n;
    vec2 slope = texture(folds, rest.xy * 1.7 + rest.z * 0.9).rg - 0.5;
    n = normalize(n + bump * vec3(slope.x, slope.y, slope.x - slope.y));
    vec3 lifted = world + n * 0.015;
    float sky_open = open_to(sky_map, world_to_sky, lifted, 0.05, 0.004);
    vec3 ambient = mix(ground_rgb, sky_rgb, 0.5 + 0.5 * n.y) * (0.45 + 0.55 * sky_open);
    float facing = max((dot(n, sun_towards) + wrap) / (1.0 + wrap), 0.0);
    float front = max((dot(n, fill_towards) + 0.3) / 1.3, 0.0);
    float sun_open = open_to(sun_map, world_to_sun, lifted, sun_blur, 0.002);
    vec3 light = ambient + sun_rgb * facing * sun_open + fill_rgb * front;
    vec3 half_way = normalize(sun_towards + view);
    float near = max(dot(n, half_way), 0.0);
    near *= near;
    near *= near;
    near *= near;
    float shine = gloss * sun_open * near * near;
    vec3 albedo = clamp(recolour * base.rgb, 0.0, 1.0);
    vec3 rgb = (albedo * albedo * light + shine * sun_rgb) * exposure;
    rgb = rgb * (1.0 + rgb / 6.0) / (1.0 + rgb * 0.6);
    colour = vec4(sqrt(rgb), base.a);
}
"""

OWNER: Final = """
#version 330
uniform sampler2D picture;
uniform float cut;
uniform float owner;
in vec2 texel;
out vec4 owned;
void main() {
    if (cut > 0.0 && texture(picture, texel).a < cut) discard;
    owned = vec4(owner, 0.0, 0.0, 1.0);
}
"""

CATCHER: Final = (
    LIT[: LIT.index("    vec3 half_way")].replace(
        "void main() {", "uniform float catcher;  // how dark the shadows are\nvoid main() {"
    )
    + """
    vec3 full = sky_rgb + sun_rgb * max(sun_towards.y, 0.0);
    float left = dot(light - fill_rgb * front, vec3(1.0)) / max(dot(full, vec3(1.0)), 1e-3);
    colour = vec4(0.0, 0.0, 0.0, catcher * clamp(1.0 - left, 0.0, 1.0));
}
"""
)
"""Draws only the shadow that falls on a surface."""

BACKDROP_VERTEX: Final = """
#version 330
in vec2 corner;
out vec2 texel;
void main() {
    texel = corner * 0.5 + 0.5;
    gl_Position = vec4(corner, 0.99999, 1.0);
}
"""

BACKDROP: Final = """
#version 330
uniform sampler2D picture;
in vec2 texel;
out vec4 colour;
void main() {
    colour = vec4(texture(picture, texel).rgb, 1.0);
}
"""
