using System;

namespace Posestream
{
    /// <summary>People between, and a little beyond, two instants.</summary>
    public static class Interpolation
    {
        private const float NearlySame = 0.98f;

        /// <summary>The people of b, moved t of the way from a (t may exceed 1). Those whom a lacks stand as in b.</summary>
        public static void Blend(PoseFrame a, PoseFrame b, float t, PoseFrame people, PoseFrame into)
        {
            into.SetCount(people.Count);
            for (int i = 0; i < people.Count; i++)
            {
                PersonPose who = people[i];
                PersonPose from = a.FindTrack(who.TrackId);
                PersonPose to = b.FindTrack(who.TrackId);
                if (from == null || to == null)
                {
                    into[i].CopyFrom(who);
                }
                else
                {
                    Blend(from, to, t, into[i]);
                    into[i].State = who.State;
                }
            }
        }

        /// <summary>One person, t of the way from a to b.</summary>
        public static void Blend(PersonPose a, PersonPose b, float t, PersonPose into)
        {
            into.CopyHeadFrom(b);
            into.RootPosition = Vec3.Lerp(a.RootPosition, b.RootPosition, t);
            Quat[] from = a.Rotations;
            Quat[] to = b.Rotations;
            Quat[] result = into.Rotations;
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                result[bone] = Turn(from[bone], to[bone], t);
            }
            into.RootRotation = Turn(a.RootRotation, b.RootRotation, t);
            BlendExpressions(a, b, Numeric.Clamp01(t), into);
            into.HasPositions = a.HasPositions && b.HasPositions;
            if (into.HasPositions)
            {
                for (int bone = 0; bone < Bones.Count; bone++)
                {
                    into.Positions[bone] = Vec3.Lerp(a.Positions[bone], b.Positions[bone], t);
                }
            }
        }

        private static Quat Turn(Quat a, Quat b, float t)
        {
            float dot = Quat.Dot(a, b);
            if (dot < NearlySame)
            {
                return Quat.Slerp(a, b, t);
            }
            // Up to 23 degrees apart the chord differs from the arc by less than 0.03 degrees.
            float s = 1f - t;
            float x = s * a.X + t * b.X;
            float y = s * a.Y + t * b.Y;
            float z = s * a.Z + t * b.Z;
            float w = s * a.W + t * b.W;
            float n = 1f / (float)Math.Sqrt(x * x + y * y + z * z + w * w);
            return new Quat(x * n, y * n, z * n, w * n);
        }

        private static void BlendExpressions(PersonPose a, PersonPose b, float t, PersonPose into)
        {
            bool both = a.ExpressionCount == b.ExpressionCount;
            for (int i = 0; i < b.ExpressionCount; i++)
            {
                float to = b.Expressions[i];
                into.Expressions[i] = both ? a.Expressions[i] + (to - a.Expressions[i]) * t : to;
            }
        }
    }
}
