// Plays motion files with three.js and three-vrm, reports where bones and skins then are.
import { AnimationMixer, LoopOnce, Quaternion, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMLoaderPlugin } from "@pixiv/three-vrm";
import { createVRMAnimationClip, VRMAnimationLoaderPlugin } from "@pixiv/three-vrm-animation";

async function load(url) {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser, { autoUpdateHumanBones: true }));
  loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
  return loader.parseAsync(await (await fetch(url)).arrayBuffer(), "");
}

function player(scene, clip) {
  const mixer = new AnimationMixer(scene);
  const action = mixer.clipAction(clip);
  action.setLoop(LoopOnce, 1);
  action.clampWhenFinished = true;
  return (time) => {
    action.reset().play();
    mixer.setTime(time);
  };
}

function standing(bone) {
  return [
    ...bone.getWorldPosition(new Vector3()).toArray(),
    ...bone.getWorldQuaternion(new Quaternion()).toArray(),
  ];
}

function corners(scene, every) {
  const found = [];
  scene.traverse((mesh) => {
    const place = mesh.isMesh && mesh.geometry.getAttribute("position");
    for (let i = 0; place && i < place.count; i += every) {
      const corner = mesh.getVertexPosition(i, new Vector3());
      found.push(mesh.localToWorld(corner).toArray());
    }
  });
  return found;
}

// url: of a GLB. nodes: numbers in the file. Answers per time with rows of x y z, x y z w, and
// with every n-th corner of its meshes.
window.playGlb = async (url, times, nodes, every) => {
  const gltf = await load(url);
  const bones = await Promise.all(nodes.map((n) => gltf.parser.getDependency("node", n)));
  const show = player(gltf.scene, gltf.animations[0]);
  const poses = [];
  const skins = [];
  for (const time of times) {
    show(time);
    gltf.scene.updateMatrixWorld(true);
    poses.push(bones.map(standing));
    skins.push(every ? corners(gltf.scene, every) : []);
  }
  return { poses, skins, duration: gltf.animations[0].duration, clips: gltf.animations.length };
};

// Plays a VRM animation on an avatar; bones by VRM name; expressions as [name, value].
window.playVrma = async (avatar, animation, times, names) => {
  const { vrm } = (await load(avatar)).userData;
  const [motion] = (await load(animation)).userData.vrmAnimations;
  const show = player(vrm.scene, createVRMAnimationClip(motion, vrm));
  const poses = [];
  for (const time of times) {
    show(time);
    vrm.humanoid.update();
    vrm.scene.updateMatrixWorld(true);
    poses.push(names.map((name) => standing(vrm.humanoid.getRawBoneNode(name))));
  }
  const tracks = [...motion.expressionTracks.preset, ...motion.expressionTracks.custom];
  return {
    poses,
    hips: motion.restHipsPosition.toArray(),
    expressions: tracks.map(([name, track]) => [name, [...track.values]]),
    bones: [...motion.humanoidTracks.rotation.keys()],
  };
};
window.ready = true;
