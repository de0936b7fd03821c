using System;

namespace Posestream
{
    /// <summary>
    /// From normalised rotations to an avatar's own local ones, whatever its rest pose and whichever bones it lacks.
    /// local = before · n · after, where before and after are worked out once.
    /// </summary>
    public sealed class RigSolver
    {
        private const float Least = 1e-3f;
        private readonly Quat[] _before = new Quat[Bones.Count];
        private readonly Quat[] _after = new Quat[Bones.Count];
        private readonly Quat[] _folded = new Quat[Bones.Count];
        private readonly bool[] _present;

        public RigSolver(RestRig rig)
        {
            _present = (bool[])rig.Present.Clone();
            Quat[] correction = TPose.Correction(rig);
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                int parent = rig.ParentOf(bone);
                // the transform above turns with the bone above, so it is corrected as that one is
                Quat above = parent < 0 ? Quat.Identity : correction[parent];
                _before[bone] = (above * rig.AboveRotation[bone]).Inverse.Normalised;
                _after[bone] = (correction[bone] * rig.Rotation[bone]).Normalised;
            }
            RestHips = rig.Position[Bones.Hips];
            HipHeight = Height(rig, correction);
        }

        /// <summary>Where the hips rest in avatar space.</summary>
        public Vec3 RestHips { get; private set; }

        /// <summary>Of the hips above the floor in the T-pose, metres.</summary>
        public float HipHeight { get; private set; }

        public bool Has(int bone) => _present[bone];

        /// <summary>Local rotations of all bones that the avatar has; the Hips in avatar space's parent.</summary>
        public void Solve(Quat[] normalised, Quat[] local)
        {
            Fold(normalised);
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                if (_present[bone])
                {
                    local[bone] = _before[bone] * _folded[bone] * _after[bone];
                }
            }
        }

        /// <summary>Missing Chest and UpperChest turn the bone below, missing Shoulders the arm.</summary>
        private void Fold(Quat[] normalised)
        {
            Array.Copy(normalised, _folded, Bones.Count);
            if (!_present[Bones.UpperChest])
            {
                _folded[Bones.Chest] = _folded[Bones.Chest] * _folded[Bones.UpperChest];
            }
            if (!_present[Bones.Chest])
            {
                _folded[Bones.Spine] = _folded[Bones.Spine] * _folded[Bones.Chest];
            }
            FoldShoulder(Bones.LeftShoulder, Bones.LeftUpperArm);
            FoldShoulder(Bones.RightShoulder, Bones.RightUpperArm);
        }

        private void FoldShoulder(int shoulder, int arm)
        {
            if (!_present[shoulder])
            {
                _folded[arm] = _folded[shoulder] * _folded[arm];
            }
        }

        /// <summary>Above the floor at 0 where the avatar stands on it, else above its lowest bone.</summary>
        private static float Height(RestRig rig, Quat[] correction)
        {
            Vec3[] place = Straightened(rig, correction);
            float lowest = float.PositiveInfinity;
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                if (rig.Present[bone])
                {
                    lowest = Math.Min(lowest, place[bone].Y);
                }
            }
            float leg = Math.Abs(place[Bones.LeftFoot].Y - place[Bones.LeftUpperLeg].Y);
            float hips = place[Bones.Hips].Y;
            bool stands = lowest > -0.1f * leg && lowest < 0.35f * leg;
            float height = stands ? hips : hips - lowest;
            return height > 0.5f * leg ? height : Math.Max(1.1f * leg, Least);
        }

        private static Vec3[] Straightened(RestRig rig, Quat[] correction)
        {
            Vec3[] place = new Vec3[Bones.Count];
            foreach (int bone in Bones.Order)
            {
                int parent = rig.ParentOf(bone);
                if (parent < 0)
                {
                    place[bone] = rig.Position[bone];
                }
                else
                {
                    Vec3 way = rig.Present[bone] ? rig.Position[bone] - rig.Position[parent] : Vec3.Zero;
                    place[bone] = place[parent] + correction[parent] * way;
                }
            }
            return place;
        }
    }
}
