// Opens a plain and a compressed GLB with three.js in Chromium; says how far they are apart.
//   node unpack_probe.mjs PLAIN.glb PACKED.glb      (node_modules beside this file)
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [, , plain, packed] = process.argv;
const here = dirname(fileURLToPath(import.meta.url));
const three = pathToFileURL(join(here, "node_modules", "three")).href;
const imports = { three: `${three}/build/three.module.js`, "three/addons/": `${three}/examples/jsm/` };
const page = join(here, "unpack.html");
writeFileSync(page, `<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";
window.load = async (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
  const { scene } = await loader.parseAsync(bytes.buffer, "");
  const meshes = [];
  scene.traverse((node) => node.isMesh && meshes.push(node.geometry));
  return meshes;
};
window.ready = true;
</script>`);
const browser = await puppeteer.launch({
  executablePath: process.env.HRN_CHROMIUM,
  args: ["--no-sandbox", "--allow-file-access-from-files"],
});
try {
  const tab = await browser.newPage();
  const complaints = [];
  tab.on("console", (m) => ["error", "warn"].includes(m.type()) && complaints.push(m.text()));
  tab.on("pageerror", (e) => complaints.push(e.message));
  await tab.goto(pathToFileURL(page).href);
  await tab.waitForFunction("window.ready", { timeout: 120000 });
  const files = [plain, packed].map((path) => readFileSync(path).toString("base64"));
  const meshes = await tab.evaluate(async (files) => {
    const [one, other] = [await window.load(files[0]), await window.load(files[1])];
    const apart = (a, b) => {
      let most = a.count === b.count ? 0 : Infinity;
      for (let i = 0; i < a.array.length; i++) most = Math.max(most, Math.abs(a.array[i] - b.array[i]));
      return most;
    };
    return one.map((geometry, n) => {
      const found = { shapes: geometry.morphAttributes.position.length, index: apart(geometry.index, other[n].index) };
      for (const name of Object.keys(geometry.attributes)) {
        found[name] = apart(geometry.attributes[name], other[n].attributes[name]);
      }
      for (const name of ["position", "normal"]) {
        const [a, b] = [geometry, other[n]].map((g) => g.morphAttributes[name]);
        found[`shape ${name}`] = Math.max(...a.map((table, k) => apart(table, b[k])));
      }
      return found;
    });
  }, files);
  console.log(JSON.stringify({ meshes, complaints }));
} finally {
  await browser.close();
}
