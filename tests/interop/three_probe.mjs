// Opens the exported page from the disk, sets shapes, draws the albedo without light.
//   node three_probe.mjs PAGE OUT.png '{"eye": [x, y, z], "fov_deg": 24, "size": 240, "weights": {}}'
import puppeteer from "puppeteer-core";

const [, , page, out, text] = process.argv;
const plan = JSON.parse(text);
const browser = await puppeteer.launch({
  executablePath: process.env.HRN_CHROMIUM,
  args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
});
try {
  const tab = await browser.newPage();
  const complaints = [];
  tab.on("console", (m) => ["error", "warn"].includes(m.type()) && complaints.push(m.text()));
  tab.on("pageerror", (e) => complaints.push(e.message));
  const asked = [];
  tab.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && asked.push(r.url()));
  await tab.setViewport({ width: plan.size + 300, height: plan.size });
  await tab.goto(`file://${page}`);
  await tab.waitForFunction("window.head", { timeout: 120000 });
  const found = await tab.evaluate((plan) => {
    const { shapes, look, camera, controls, renderer, scene } = window.head;
    look(plan.weights ?? {});
    renderer.setAnimationLoop(null);
    renderer.setPixelRatio(1);
    renderer.setSize(plan.size, plan.size, false);
    renderer.toneMapping = 0;
    renderer.setClearColor(0, 0);
    scene.background = scene.environment = null;
    const facts = { shapes, meshes: [], sliders: document.querySelectorAll("input[data-shape]").length };
    scene.traverse((node) => {
      if (node.isLight) node.intensity = 0;
      if (!node.isMesh) return;
      const { material, geometry } = node;
      facts.meshes.push({
        targets: node.morphTargetInfluences.length,
        tangents: Boolean(geometry.attributes.tangent),
        bounds: [geometry.boundingBox.min.toArray(), geometry.boundingBox.max.toArray()],
        maps: [Boolean(material.map), Boolean(material.normalMap)],
      });
      material.emissiveMap = material.map;
      material.emissive.copy(material.color);
      material.color.set(0);
      material.needsUpdate = true;
    });
    controls.enabled = false;
    camera.fov = plan.fov_deg;
    camera.aspect = 1;
    camera.position.set(...plan.eye);
    camera.rotation.set(0, 0, 0);
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
    renderer.render(scene, camera);
    return { facts, image: renderer.domElement.toDataURL("image/png") };
  }, plan);
  const { writeFileSync } = await import("node:fs");
  writeFileSync(out, Buffer.from(found.image.split(",")[1], "base64"));
  console.log(JSON.stringify({ ...found.facts, complaints, asked }));
} finally {
  await browser.close();
}
