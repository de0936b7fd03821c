using System;

namespace Posestream
{
    /// <summary>What an avatar changes about a person before it takes the pose. Keeps the smoothed pose of one person.</summary>
    public sealed class PoseShaper
    {
        private readonly PersonPose _smooth = new PersonPose();
        private long _track = long.MinValue;

        /// <summary>Forgets the smoothed pose.</summary>
        public void Reset() => _track = long.MinValue;

        /// <summary>Mirrored, seated and smoothed as asked, into another pose.</summary>
        public void Shape(PersonPose from, PersonPose into, bool mirror, bool seated, float smoothingS, float seconds)
        {
            if (mirror)
            {
                Mirror(from, into);
            }
            else
            {
                into.CopyFrom(from);
            }
            if (seated)
            {
                Seat(into);
            }
            Smooth(into, smoothingS, seconds);
        }

        /// <summary>As in a mirror: left and right change places.</summary>
        public static void Mirror(PersonPose from, PersonPose into)
        {
            into.CopyFrom(from);
            into.BoneValid = 0;
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                int other = Bones.Mirrored[bone];
                into.Rotations[bone] = from.Rotations[other].Reflected;
                into.Positions[bone] = Across(from.Positions[other]);
                if (from.IsValid(other))
                {
                    into.BoneValid |= 1UL << bone;
                }
            }
            into.RootRotation = from.RootRotation.Reflected;
            into.RootPosition = Across(from.RootPosition);
        }

        private static Vec3 Across(Vec3 v) => new Vec3(-v.X, v.Y, v.Z);

        /// <summary>The pelvis stays on its chair: the back does its turning, the legs are left alone.</summary>
        public static void Seat(PersonPose pose)
        {
            pose.Rotations[Bones.Spine] = pose.RootRotation * pose.Rotations[Bones.Spine];
            pose.RootRotation = pose.Rotations[Bones.Hips] = Quat.Identity;
            pose.BoneValid &= ~BoneMasks.Of(BoneGroups.Legs | BoneGroups.Hips);
        }

        private void Smooth(PersonPose pose, float smoothingS, float seconds)
        {
            if (!(smoothingS > 0f))
            {
                Reset();
                return;
            }
            if (pose.TrackId != _track)
            {
                _track = pose.TrackId;
                _smooth.CopyFrom(pose);
                return;
            }
            float share = 1f - (float)Math.Exp(-Math.Max(seconds, 0f) / smoothingS);
            Interpolation.Blend(_smooth, pose, share, _smooth);
            pose.CopyFrom(_smooth);
        }
    }

    /// <summary>How a person's travel moves the avatar.</summary>
    public enum RootMode
    {
        /// <summary>The hips stay where they rest.</summary>
        None,

        /// <summary>Up and down only, in the avatar's size.</summary>
        InPlace,

        /// <summary>Travel in the avatar's leg lengths: its feet do not slide.</summary>
        Scaled,

        /// <summary>Metres, as the person moved: for pictures in which people and avatars meet.</summary>
        Metric,
    }

    public static class RootMotion
    {
        private const float LeastHeight = 0.05f;

        /// <summary>Where the avatar's hips belong in avatar space.</summary>
        public static Vec3 Hips(PersonPose person, RootMode mode, Vec3 restHips, float avatarHipHeight)
        {
            bool usable = person.HipHeight > LeastHeight && Numeric.IsFinite(person.HipHeight);
            float scale = usable ? avatarHipHeight / person.HipHeight : 1f;
            Vec3 at = person.RootPosition;
            switch (mode)
            {
                case RootMode.InPlace: return new Vec3(restHips.X, at.Y * scale, restHips.Z);
                case RootMode.Scaled: return at * scale;
                case RootMode.Metric: return at;
                default: return restHips;
            }
        }
    }
}
