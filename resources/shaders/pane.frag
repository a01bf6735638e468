// A pane of the window: the picture, hatched where its detail is lost, and the mesh over it.
#version 330 core

uniform vec2 size;          // of the pane, logical pixels
uniform float radius;       // of its lower corners
uniform vec3 surround;      // behind the corners
uniform vec3 ground_inner;  // behind the mesh where there is no picture
uniform vec3 ground_outer;
uniform sampler2D picture;  // row 0 at v = 0
uniform vec4 place;         // picture pixels to pane: scale, x, y; w is 1 when there is one
uniform vec2 picture_size;
uniform float mirrored;
uniform float grey;         // 1 shows the picture without colour, dimmed
uniform sampler2D zebra;    // red channel: 0, 1 dark, 2 bright (of 255)
uniform vec4 zebra_box;     // x, y, width, height in picture pixels; width 0 for none
uniform vec3 zebra_dark;
uniform vec3 zebra_bright;
uniform sampler2D mesh;     // row 0 at the bottom
uniform float mesh_opacity; // 0 for none
uniform float wipe;         // the mesh begins at this share of the width

in vec2 at;

out vec4 color;

float corner(vec2 p) {
    vec2 half_size = size * 0.5;
    vec2 q = abs(p - half_size) - half_size + radius;
    if (p.y < half_size.y) return 1.0;
    float d = length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - radius;
    return clamp(0.5 - d, 0.0, 1.0);
}

vec4 mesh_at(vec2 uv) {
    vec2 texel = 0.5 / vec2(textureSize(mesh, 0));
    vec4 a = texture(mesh, uv + texel), b = texture(mesh, uv - texel);
    vec4 c = texture(mesh, uv + vec2(texel.x, -texel.y));
    vec4 d = texture(mesh, uv + vec2(-texel.x, texel.y));
    vec4 sum = vec4(a.rgb * a.a + b.rgb * b.a + c.rgb * c.a + d.rgb * d.a, a.a + b.a + c.a + d.a);
    return sum.a > 0.0 ? vec4(sum.rgb / sum.a, sum.a * 0.25) : vec4(0.0);
}

void main() {
    vec2 p = mirrored > 0.5 ? vec2(size.x - at.x, at.y) : at;
    vec2 c = (at / size - vec2(0.5, 0.5)) * vec2(size.x / size.y, 1.0);
    vec3 shown = mix(ground_inner, ground_outer, smoothstep(0.0, 0.62, length(c)));
    if (place.w > 0.5) {
        vec2 pixel = (p - place.yz) / place.x;
        vec2 uv = pixel / picture_size;
        if (all(greaterThanEqual(uv, vec2(0.0))) && all(lessThanEqual(uv, vec2(1.0)))) {
            shown = texture(picture, uv).rgb;
            if (grey > 0.5) shown = vec3(dot(shown, vec3(0.2126, 0.7152, 0.0722))) * 0.42;
            if (zebra_box.z > 0.0) {
                vec2 z = (pixel - zebra_box.xy) / zebra_box.zw;
                if (all(greaterThanEqual(z, vec2(0.0))) && all(lessThanEqual(z, vec2(1.0)))) {
                    float code = texture(zebra, z).r * 255.0;
                    if (code > 1.5 && mod(at.x + at.y, 10.0) < 3.0) shown = zebra_bright;
                    else if (code > 0.5 && code < 1.5 && mod(at.x - at.y, 10.0) < 3.0)
                        shown = zebra_dark;
                }
            }
        } else {
            shown = ground_outer;
        }
    }
    if (mesh_opacity > 0.0 && at.x >= wipe * size.x) {
        vec4 m = mesh_at(vec2(p.x, size.y - p.y) / size);
        shown = mix(shown, m.rgb, m.a * mesh_opacity);
    }
    color = vec4(mix(surround, shown, corner(at)), 1.0);
}
