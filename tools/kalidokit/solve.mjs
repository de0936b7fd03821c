// Landmarks in, Kalidokit's bone angles out: node solve.mjs landmarks.json angles.json
import fs from "node:fs";
import { createRequire } from "node:module";

const { Pose } = createRequire(import.meta.url)("kalidokit/dist/kalidokit.umd.js");
const BONES = [
  "Hips", "Spine", "RightUpperArm", "RightLowerArm", "RightHand", "LeftUpperArm", "LeftLowerArm",
  "LeftHand", "RightUpperLeg", "RightLowerLeg", "LeftUpperLeg", "LeftLowerLeg",
];
const [, , given, found] = process.argv;
const clips = JSON.parse(fs.readFileSync(given)).map((frames) =>
  frames.map(({ world, image }) => {
    const named = (rows) => rows.map(([x, y, z, visibility]) => ({ x, y, z, visibility }));
    const pose = Pose.solve(named(world), named(image), {
      runtime: "mediapipe", imageSize: { width: 1280, height: 720 }, enableLegs: true,
    });
    const angles = { ...pose, Hips: pose.Hips.rotation };
    return BONES.map((bone) => ["x", "y", "z"].map((axis) => angles[bone][axis] ?? 0));
  }),
);
fs.writeFileSync(found, JSON.stringify({ bones: BONES, clips }));
