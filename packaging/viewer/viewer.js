// Shows the GLB that the page carries: orbit, expression sliders, light. No network, no server.
import {
  Box3, Color, DirectionalLight, NeutralToneMapping, PMREMGenerator, PerspectiveCamera, Scene,
  Vector3, WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const LOOKS = {
  Neutral: {},
  Smile: { mouthSmile: 0.8, cheekSquint: 0.6, eyeSquint: 0.3, mouthUpperUp: 0.2 },
  Surprise: { jawOpen: 0.55, eyeWide: 0.8, browInnerUp: 0.9, browOuterUp: 0.8 },
  Sad: { mouthFrown: 0.7, browInnerUp: 0.8, mouthShrugLower: 0.4, eyeSquint: 0.2 },
  Angry: { browDown: 0.9, noseSneer: 0.6, eyeSquint: 0.4, mouthPress: 0.5, jawForward: 0.2 },
  Kiss: { mouthPucker: 0.9, mouthFunnel: 0.2 },
  Wink: { eyeBlinkLeft: 1, mouthSmileLeft: 0.5, cheekSquintLeft: 0.5 },
};
const GROUPS = [
  ["Eyes", /^eye/i], ["Brows", /^brow/i], ["Jaw and tongue", /^(jaw|tongue)/i],
  ["Mouth", /^mouth/i], ["Cheeks and nose", /^(cheek|nose)/i], ["Other", /./],
];

const $ = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0)).buffer;
// eyeBlink_L, EyeBlinkLeft and eyeBlinkLeft are the same shape
const plain = (name) => (name[0].toLowerCase() + name.slice(1)).replace(/_L$/, "Left").replace(/_R$/, "Right");
const words = (name) => {
  const text = plain(name).replace(/([A-Z])/g, " $1").toLowerCase();
  return text[0].toUpperCase() + text.slice(1);
};

function fail(text) {
  $("wait").textContent = text;
  $("wait").hidden = false;
}

function makeRenderer(canvas) {
  const renderer = new WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  renderer.toneMapping = NeutralToneMapping;
  renderer.toneMappingExposure = 0.95;
  return renderer;
}

function slider(parent, label, value, change, max = 1) {
  const row = document.createElement("label");
  const name = document.createElement("span");
  const input = document.createElement("input");
  name.textContent = label;
  Object.assign(input, { type: "range", min: 0, max, step: 0.01, value });
  input.addEventListener("input", () => change(Number(input.value)));
  row.append(name, input);
  parent.append(row);
  return input;
}

function start(gltf) {
  const renderer = makeRenderer($("view"));
  const scene = new Scene();
  scene.background = new Color(0x3a3c3f);
  scene.environment = new PMREMGenerator(renderer).fromScene(new RoomEnvironment(), 0.04).texture;
  scene.environmentIntensity = 0.35;
  scene.add(gltf.scene);

  const box = new Box3().setFromObject(gltf.scene);
  const middle = box.getCenter(new Vector3()), size = box.getSize(new Vector3());
  const camera = new PerspectiveCamera(24, 1, 0.01, 10);
  const controls = new OrbitControls(camera, renderer.domElement);
  controls.enableDamping = true;
  controls.minDistance = size.y * 0.6;
  controls.maxDistance = size.y * 8;
  const key = new DirectionalLight(0xfff4e6, 2.6);
  scene.add(key, key.target);
  key.target.position.copy(middle);

  let dirty = true;
  const draw = () => { dirty = true; };
  const turn = (degrees) => {
    const angle = (degrees * Math.PI) / 180;
    key.position.set(Math.sin(angle), 0.75, Math.cos(angle)).add(middle);
    draw();
  };
  const home = () => {
    const [w, h] = [renderer.domElement.clientWidth, renderer.domElement.clientHeight];
    const high = Math.max(size.y, (size.x * h) / Math.max(w, 1));
    controls.target.copy(middle);
    camera.position.copy(middle).add(new Vector3(0, 0.02, (high * 1.02) / (2 * Math.tan(Math.PI / 15)) + size.z / 2));
    controls.update();
    draw();
  };

  const meshes = [];
  gltf.scene.traverse((node) => { if (node.morphTargetDictionary) meshes.push(node); });
  const shapes = meshes.length ? Object.keys(meshes[0].morphTargetDictionary) : [];
  const inputs = {};
  const set = (name, weight) => {
    for (const mesh of meshes) mesh.morphTargetInfluences[mesh.morphTargetDictionary[name]] = weight;
    draw();
  };
  const left = new Set(shapes);
  for (const [title, pattern] of GROUPS) {
    const names = shapes.filter((name) => left.has(name) && pattern.test(name));
    if (!names.length) continue;
    const group = document.createElement("details");
    const head = document.createElement("summary");
    head.textContent = title;
    group.append(head);
    group.open = title === "Mouth";
    for (const name of names) {
      left.delete(name);
      inputs[name] = slider(group, words(name), 0, (weight) => set(name, weight));
      inputs[name].dataset.shape = name;
    }
    $("shapes").append(group);
  }
  const look = (weights) => {
    for (const name of shapes) {
      const arkit = plain(name);
      const weight = weights[arkit] ?? weights[arkit.replace(/(Left|Right)$/, "")] ?? 0;
      inputs[name].value = weight;
      set(name, weight);
    }
  };
  for (const [title, weights] of Object.entries(LOOKS)) {
    const button = document.createElement("button");
    button.textContent = title;
    button.addEventListener("click", () => look(weights));
    $("looks").append(button);
  }
  slider($("light"), "Direction", 125, (value) => turn(value - 180), 360).step = 1;
  slider($("light"), "Strength", 2.6, (value) => { key.intensity = value; draw(); }, 6);
  slider($("light"), "Room", 0.35, (value) => { scene.environmentIntensity = value; draw(); }, 1.5);
  $("home").addEventListener("click", home);

  const fit = () => {
    const { clientWidth: w, clientHeight: h } = renderer.domElement.parentElement;
    renderer.setSize(w, h, true);
    camera.aspect = w / h;
    camera.updateProjectionMatrix();
    draw();
  };
  addEventListener("resize", fit);
  controls.addEventListener("change", draw);
  turn(125 - 180);
  fit();
  home();
  renderer.setAnimationLoop(() => {
    controls.update();
    if (!dirty) return;
    dirty = false;
    renderer.render(scene, camera);
  });
  $("wait").hidden = true;
  // for scripts: the same as the sliders
  window.head = { shapes, set, look, camera, controls, renderer, scene, draw };
}

try {
  new GLTFLoader().parse(bytes($("glb").textContent), "", start, () => fail("The head in this page is damaged; export it again."));
} catch (error) {
  fail(/webgl/i.test(String(error)) ? "This browser shows no 3D pictures; switch WebGL on." : String(error));
}
