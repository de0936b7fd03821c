using System;

namespace Posestream
{
    /// <summary>
    /// From the pose in which an avatar rests to the T-pose that rotations refer to. Limbs are always straightened;
    /// the torso only where it is far off, because a slight curve belongs to the avatar; hands, fingers and the head
    /// follow; feet keep their pitch, because shoes may have heels.
    /// </summary>
    public sealed class TPose
    {
        private const float Degree = 0.0174532925f;
        private const float Torso = 20f * Degree;
        private const float Spine = 40f * Degree;
        private const float Shoulder = 50f * Degree;
        private static readonly Vec3 Down = new Vec3(0f, -1f, 0f);
        private static readonly Vec3 Up = new Vec3(0f, 1f, 0f);
        private static readonly Vec3 Ahead = new Vec3(0f, 0f, 1f);
        private static readonly Vec3 Foot = new Vec3(0f, -0.42f, 0.907f);
        private static readonly Vec3 LeftOut = new Vec3(-1f, 0f, 0f);
        private static readonly Vec3 RightOut = new Vec3(1f, 0f, 0f);
        private static readonly int[] Column = { Bones.Spine, Bones.Chest, Bones.UpperChest, Bones.Neck, Bones.Head };
        private readonly RestRig _rig;
        private readonly Quat[] _correction = new Quat[Bones.Count];
        private readonly int _chest;

        private TPose(RestRig rig)
        {
            _rig = rig;
            _chest = First(Bones.UpperChest, Bones.Chest, Bones.Spine, Bones.Hips);
        }

        /// <summary>For each bone the rotation about avatar space's axes that brings it to the T-pose.</summary>
        public static Quat[] Correction(RestRig rig)
        {
            TPose pose = new TPose(rig);
            foreach (int bone in Bones.Order)
            {
                int parent = rig.ParentOf(bone);
                Quat above = parent < 0 ? Quat.Identity : pose._correction[parent];
                pose._correction[bone] = rig.Present[bone] ? pose.Corrected(bone, above) : above;
            }
            return pose._correction;
        }

        private int First(params int[] bones)
        {
            foreach (int bone in bones)
            {
                if (_rig.Present[bone])
                {
                    return bone;
                }
            }
            return bones[bones.Length - 1];
        }

        private Quat Corrected(int bone, Quat above)
        {
            switch (bone)
            {
                case Bones.LeftShoulder: return Swing(bone, Bones.LeftUpperArm, LeftOut, Shoulder, above);
                case Bones.RightShoulder: return Swing(bone, Bones.RightUpperArm, RightOut, Shoulder, above);
                case Bones.LeftUpperArm: return Swing(bone, Bones.LeftLowerArm, LeftOut, 0f, above);
                case Bones.RightUpperArm: return Swing(bone, Bones.RightLowerArm, RightOut, 0f, above);
                case Bones.LeftLowerArm: return Swing(bone, Bones.LeftHand, LeftOut, 0f, above);
                case Bones.RightLowerArm: return Swing(bone, Bones.RightHand, RightOut, 0f, above);
                case Bones.LeftUpperLeg: return Swing(bone, Bones.LeftLowerLeg, Down, 0f, above);
                case Bones.RightUpperLeg: return Swing(bone, Bones.RightLowerLeg, Down, 0f, above);
                case Bones.LeftLowerLeg: return Swing(bone, Bones.LeftFoot, Down, 0f, above);
                case Bones.RightLowerLeg: return Swing(bone, Bones.RightFoot, Down, 0f, above);
                case Bones.LeftFoot: return Sole(bone, Bones.LeftToes, above);
                case Bones.RightFoot: return Sole(bone, Bones.RightToes, above);
                case Bones.Hips: return Frame(Bones.LeftUpperLeg, Bones.RightUpperLeg, bone, Quat.Identity);
            }
            return bone == _chest ? Chest(bone, above) : IsColumn(bone) ? Swing(bone, NextUp(bone), Up, Spine, above) : above;
        }

        private Quat Chest(int bone, Quat above)
        {
            bool both = _rig.Present[Bones.LeftShoulder] && _rig.Present[Bones.RightShoulder];
            return both
                ? Frame(Bones.LeftShoulder, Bones.RightShoulder, bone, above)
                : Frame(Bones.LeftUpperArm, Bones.RightUpperArm, bone, above);
        }

        private static bool IsColumn(int bone) => Array.IndexOf(Column, bone) >= 0 && bone != Bones.Head;

        private int NextUp(int bone)
        {
            for (int i = Array.IndexOf(Column, bone) + 1; i < Column.Length; i++)
            {
                if (_rig.Present[Column[i]])
                {
                    return Column[i];
                }
            }
            return bone;
        }

        private bool Direction(int bone, int child, out Vec3 direction)
        {
            Vec3 way = _rig.Present[child] ? _rig.Position[child] - _rig.Position[bone] : Vec3.Zero;
            direction = way.Normalised;
            return way.Length > 1e-5f;
        }

        private Quat Swing(int bone, int child, Vec3 aim, float tolerance, Quat above)
        {
            Vec3 direction;
            if (!Direction(bone, child, out direction))
            {
                return above;
            }
            Vec3 now = above * direction;
            return Math.Acos(Numeric.Clamp(Vec3.Dot(now, aim), -1f, 1f)) <= tolerance ? above : Quat.Between(now, aim) * above;
        }

        /// <summary>Turns the bone so that its pair of limbs lies along x and the spine along Y.</summary>
        private Quat Frame(int left, int right, int bone, Quat above)
        {
            Vec3 up;
            if (!_rig.Present[left] || !_rig.Present[right] || !Direction(bone, NextUp(bone), out up))
            {
                return above;
            }
            Vec3 x = (_rig.Position[right] - _rig.Position[left]).Normalised;
            Vec3 z = Vec3.Cross(x, up);
            if (x.Length < 0.5f || z.Length < 0.2f)
            {
                return above;
            }
            z = z.Normalised;
            Quat aligned = Quat.FromAxes(x, Vec3.Cross(z, x), z).Inverse;
            return Quat.Angle(aligned, above) <= Torso ? above : aligned;
        }

        private Quat Sole(int bone, int toes, Quat above)
        {
            Vec3 direction;
            if (!Direction(bone, toes, out direction))
            {
                return above;
            }
            Vec3 flat = new Vec3(direction.X, 0f, direction.Z);
            double pitch = Math.Atan2(-direction.Y, flat.Length);
            bool ahead = flat.Length > 1e-3f && flat.Normalised.Z > 0.3f;
            if (ahead && pitch > -5f * Degree && pitch < 80f * Degree)
            {
                return Quat.Between(flat, Ahead);
            }
            return Quat.Between(above * direction, Foot) * above;
        }
    }
}
