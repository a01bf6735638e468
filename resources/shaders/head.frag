// Lights a head: soft diffuse light that reaches round the form (more of the red, as in skin),
// GGX highlights, an even sky dimmed where the head hides it, and one shadow.
//
// One of CLAY, TEXTURED, NORMALS, LINES is defined, and SHADOW, DETAIL when they are wanted:
// software renderers run both sides of every branch.
#version 330 core

const int LIGHTS = 3;
const int TAPS = 20;
const float PI = 3.14159265;

uniform vec3 light_direction[LIGHTS];  // towards the light, view axes
uniform vec3 light_color[LIGHTS];
uniform vec3 sky;
uniform vec3 ground;
uniform vec3 base_linear;              // of clay, and of lines
uniform float clay_roughness;
uniform float detail;                  // strength of the normal map
uniform float spread_px;               // softness of the shadow's edge
uniform mat4 T_shadow_view;
uniform sampler2D albedo;              // sRGB, row 0 at v = 0
uniform sampler2D normal_map;
uniform sampler2DShadow shadow_map;

in vec3 position;
in vec3 normal;
in vec4 tangent;
in vec2 uv;
in vec3 shadow;
in vec4 tint;
in float openness;
in float roughness;
in float detailed;

out vec4 color;

vec3 to_linear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}

vec3 to_srgb(vec3 c) {
    c = clamp(c, 0.0, 1.0);
    return mix(c * 12.92, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

// Highlights roll off instead of clipping; below 0.7 nothing changes.
vec3 shoulder(vec3 c) {
    return min(c, 0.7) + 0.3 * (1.0 - exp(-max(c - 0.7, 0.0) / 0.3));
}

// The share of the main light that arrives: the shadow map around this point, compared with the
// plane of the surface so that a slope does not shade itself.
float lit_share(vec3 n) {
#ifdef SHADOW
    vec3 s = normalize(mat3(T_shadow_view) * n);
    vec2 slope = clamp(-s.xy / min(s.z, -0.02), -4.0, 4.0);
    vec2 texel = 1.0 / vec2(textureSize(shadow_map, 0));
    float sum = 0.0;
    // a disc of points along a golden spiral, turned from pixel to pixel
    float turn = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    vec2 along = vec2(cos(6.2832 * turn), sin(6.2832 * turn));
    const mat2 step_on = mat2(-0.737369, 0.675490, -0.675490, -0.737369);  // 2.39996 radians
    for (int i = 0; i < TAPS; i++) {
        vec2 offset = along * sqrt((float(i) + 0.5) / float(TAPS)) * spread_px * texel;
        float depth = shadow.z + dot(slope, offset) - 0.008;
        sum += texture(shadow_map, vec3(shadow.xy + offset, depth));
        along = step_on * along;
    }
    return sum / float(TAPS);
#else
    return 1.0;
#endif
}

// GGX with Schlick's approximations, as seen through air.
float highlight(float nl, vec3 n, vec3 l, vec3 v, float rough) {
    vec3 h = normalize(l + v);
    float nv = max(dot(n, v), 1e-3), nh = max(dot(n, h), 0.0), vh = max(dot(v, h), 0.0);
    float a2 = rough * rough * rough * rough, k = rough * rough / 2.0;
    float d = nh * nh * (a2 - 1.0) + 1.0;
    float away = 1.0 - vh, fresnel = 0.04 + 0.96 * away * away * away * away * away;
    float masked = 4.0 * (nl * (1.0 - k) + k) * (nv * (1.0 - k) + k);
    return nl * a2 * fresnel / (PI * d * d * masked);
}

vec3 detailed_normal(vec3 smooth_n) {
#ifdef DETAIL
    vec3 t = tangent.xyz - smooth_n * dot(tangent.xyz, smooth_n);
    t /= max(length(t), 1e-6);
    vec3 b = tangent.w * cross(smooth_n, t);
    vec3 m = texture(normal_map, uv).xyz * 2.0 - 1.0;
    m.xy *= detail * detailed;
    return normalize(t * m.x + b * m.y + smooth_n * max(m.z, 0.05));
#else
    return smooth_n;
#endif
}

void main() {
#ifdef LINES
    color = vec4(to_srgb(base_linear), 1.0);
#else
    vec3 smooth_n = normalize(gl_FrontFacing ? normal : -normal);
    vec3 n = detailed_normal(smooth_n);
#ifdef NORMALS
    color = vec4(n * 0.5 + 0.5, 1.0);
#else
    vec3 base = to_linear(texture(albedo, uv).rgb);
    float rough = roughness;
    float wet = clamp((0.3 - roughness) / 0.2, 0.0, 1.0);
#ifdef TEXTURED
    // light scatters under skin: the dark side begins later, more so for red
    vec3 wrap = mix(vec3(0.30, 0.14, 0.09), vec3(0.05), wet);
    vec3 blur = vec3(0.5, 0.3, 0.2);
    vec3 open = pow(vec3(openness), vec3(0.85, 1.1, 1.2));
#else
    // eyes keep their colours: a blank stare says nothing about where they look
    base = mix(base_linear, base, wet);
    rough = mix(clay_roughness, rough, wet);
    vec3 wrap = vec3(0.12);
    vec3 blur = vec3(0.0);
    vec3 open = vec3(openness);
#endif
    base = mix(base, tint.rgb, tint.a);
    vec3 v = normalize(-position);
    vec3 diffuse = mix(ground, sky, 0.5 + 0.5 * n.y) * open;
    vec3 shine = diffuse * (0.01 + 0.12 * wet * pow(1.0 - max(dot(n, v), 0.0), 4.0));
    float share = lit_share(smooth_n);
    for (int i = 0; i < LIGHTS; i++) {
        vec3 l = light_direction[i];
        float sharp = dot(n, l), blurred = dot(smooth_n, l);
        vec3 reach = max((mix(vec3(sharp), vec3(blurred), blur) + wrap) / (1.0 + wrap), 0.0);
        float arrives = i == 0 ? share : mix(0.3, 1.0, openness);
        diffuse += light_color[i] * arrives * reach * reach / (0.35 + 0.65 * reach);
        shine += light_color[i] * arrives * highlight(max(sharp, 0.0), n, l, v, rough);
    }
    vec3 result = base * diffuse + shine * (1.0 + wet);
    result *= gl_FrontFacing ? 1.0 : 0.25;
    color = vec4(to_srgb(shoulder(result)), 1.0);
#endif
#endif
}
