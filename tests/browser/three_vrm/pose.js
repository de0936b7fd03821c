// Poses an avatar with three-vrm and reports where its own bones then are in the world.
import { Quaternion, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";

async function load(url) {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser, { autoUpdateHumanBones: true }));
  const { userData } = await loader.parseAsync(await (await fetch(url)).arrayBuffer(), "");
  VRMUtils.rotateVRM0(userData.vrm); // faces +Z as VRM 1.0 does; leaves those as they are
  userData.vrm.scene.updateMatrixWorld(true);
  return userData.vrm;
}

// Base64 of float32: a megabyte of numbers as JSON would take longer than the comparison.
async function text(values) {
  const reader = new FileReader();
  await new Promise((done) => {
    reader.onload = done;
    reader.readAsDataURL(new Blob([values.buffer]));
  });
  return reader.result.split(",")[1];
}

// avatar: URL of a .vrm. poses: URL of float32 rows: root x y z, then x y z w of each of `names`.
// Answers with rows of x y z, x y z w of each of `names`; NaN where the avatar lacks the bone.
window.pose = async (avatar, poses, names) => {
  const vrm = await load(avatar);
  const width = 3 + 4 * names.length;
  const given = new Float32Array(await (await fetch(poses)).arrayBuffer());
  const count = given.length / width;
  const found = new Float32Array(count * names.length * 7).fill(NaN);
  // Normalised bones of VRM 0.x face -Z.
  const sign = vrm.meta.metaVersion === "0" ? -1 : 1;
  const place = new Vector3();
  const turn = new Quaternion();
  for (let p = 0; p < count; p++) {
    const row = given.subarray(p * width, (p + 1) * width);
    const hips = vrm.humanoid.getNormalizedBoneNode("hips");
    hips.position.set(sign * row[0], row[1], sign * row[2]);
    names.forEach((name, b) => {
      const [x, y, z, w] = row.subarray(3 + 4 * b, 7 + 4 * b);
      vrm.humanoid.getNormalizedBoneNode(name)?.quaternion.set(sign * x, y, sign * z, w).normalize();
    });
    vrm.humanoid.update();
    vrm.scene.updateMatrixWorld(true);
    names.forEach((name, b) => {
      const bone = vrm.humanoid.getRawBoneNode(name);
      if (!bone) return;
      bone.getWorldPosition(place).toArray(found, (p * names.length + b) * 7);
      bone.getWorldQuaternion(turn).toArray(found, (p * names.length + b) * 7 + 3);
    });
  }
  return {
    generation: vrm.meta.metaVersion,
    bones: names.filter((name) => vrm.humanoid.getRawBoneNode(name)),
    found: await text(found),
  };
};
window.ready = true;
