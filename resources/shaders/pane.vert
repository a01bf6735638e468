// A pane of the window: covers its viewport, and says where in the pane it is.
#version 330 core

uniform vec2 size;  // of the pane, logical pixels

in vec2 in_corner;  // 0..1, y down

out vec2 at;        // logical pixels from the pane's upper left corner

void main() {
    gl_Position = vec4(in_corner.x * 2.0 - 1.0, 1.0 - in_corner.y * 2.0, 0.0, 1.0);
    at = in_corner * size;
}
