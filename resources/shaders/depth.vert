// The head as its main light sees it.
#version 330 core
uniform mat4 T_clip_head;
in vec3 in_position;
void main() { gl_Position = T_clip_head * vec4(in_position, 1.0); }
