// Places the vertices of a head and hands what the light needs to head.frag, in view axes
// (x right, y up, z towards the viewer).
#version 330 core

uniform mat4 T_clip_head;
uniform mat4 T_view_head;
uniform mat4 T_shadow_head;

in vec3 in_position;  // head frame, metres
in vec3 in_normal;
in vec4 in_tangent;   // along +u; w is the sign of the second axis
in vec2 in_uv;        // v up
in float in_open;     // share of even light that arrives, 0..1
in float in_roughness;
in float in_detailed; // 1 where the normal map applies
in vec4 in_tint;      // linear colour and how much of it

out vec3 position;
out vec3 normal;
out vec4 tangent;
out vec2 uv;
out vec3 shadow;
out vec4 tint;
out float openness;
out float roughness;
out float detailed;

void main() {
    vec4 at = vec4(in_position, 1.0);
    gl_Position = T_clip_head * at;
    position = (T_view_head * at).xyz;
    normal = mat3(T_view_head) * in_normal;
    tangent = vec4(mat3(T_view_head) * in_tangent.xyz, in_tangent.w);
    shadow = (T_shadow_head * at).xyz * 0.5 + 0.5;
    uv = in_uv;
    openness = in_open;
    roughness = in_roughness;
    detailed = in_detailed;
    tint = in_tint;
}
