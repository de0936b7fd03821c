using System;

namespace Posestream
{
    /// <summary>A leg or an arm that reaches for a point.</summary>
    public static class TwoBoneIk
    {
        private const float Stretch = 0.9995f;

        /// <summary>
        /// World rotations to put before those of the upper and lower bone so that the end comes to the target. The knee
        /// keeps the plane in which it bends; what is out of reach is pointed at.
        /// </summary>
        public static void Solve(
            Vec3 hip, Vec3 knee, Vec3 ankle, Vec3 target, Vec3 bendHint, out Quat turnUpper, out Quat turnLower)
        {
            float upper = (knee - hip).Length;
            float lower = (ankle - knee).Length;
            turnUpper = turnLower = Quat.Identity;
            if (upper < 1e-5f || lower < 1e-5f || (target - hip).Length < 1e-5f)
            {
                return;
            }
            float reach = Numeric.Clamp((target - hip).Length, Math.Abs(upper - lower) * 1.001f + 1e-5f, (upper + lower) * Stretch);
            Vec3 axis = BendAxis(hip, knee, ankle, bendHint);
            Vec3 straight = (target - hip).Normalised;
            float now = Corner(upper, lower, (ankle - hip).Length);
            float wanted = Corner(upper, lower, reach);
            // open or close the knee, then turn the whole leg towards the target
            turnLower = Quat.AngleAxis(now - wanted, axis);
            Vec3 reached = knee + turnLower * (ankle - knee);
            Quat swing = Quat.Between(reached - hip, straight);
            turnUpper = swing;
            turnLower = swing * turnLower;
        }

        private static Vec3 BendAxis(Vec3 hip, Vec3 knee, Vec3 ankle, Vec3 hint)
        {
            Vec3 axis = Vec3.Cross(knee - hip, ankle - knee);
            float size = (knee - hip).Length * (ankle - knee).Length;
            if (axis.Length > 0.02f * size)
            {
                return axis.Normalised;
            }
            Vec3 leg = (ankle - hip).Normalised;
            return Vec3.Cross(hint, leg).Normalised;
        }

        /// <summary>The inner angle between two bones whose ends are so far apart.</summary>
        private static float Corner(float upper, float lower, float reach)
        {
            float cosine = (upper * upper + lower * lower - reach * reach) / (2f * upper * lower);
            return (float)Math.Acos(Numeric.Clamp(cosine, -1f, 1f));
        }
    }
}
