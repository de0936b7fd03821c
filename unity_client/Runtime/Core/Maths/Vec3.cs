using System;

namespace Posestream
{
    /// <summary>A vector in Unity's axes, metres; the same memory as UnityEngine.Vector3.</summary>
    public readonly struct Vec3 : IEquatable<Vec3>
    {
        public readonly float X;
        public readonly float Y;
        public readonly float Z;

        public static readonly Vec3 Zero = new Vec3(0f, 0f, 0f);

        public Vec3(float x, float y, float z)
        {
            X = x;
            Y = y;
            Z = z;
        }

        public float Length => (float)Math.Sqrt(Dot(this, this));

        public bool IsFinite => Numeric.IsFinite(X) && Numeric.IsFinite(Y) && Numeric.IsFinite(Z);

        public Vec3 Normalised
        {
            get
            {
                float length = Length;
                return length > 1e-12f ? this * (1f / length) : Zero;
            }
        }

        public static Vec3 operator +(Vec3 a, Vec3 b) => new Vec3(a.X + b.X, a.Y + b.Y, a.Z + b.Z);

        public static Vec3 operator -(Vec3 a, Vec3 b) => new Vec3(a.X - b.X, a.Y - b.Y, a.Z - b.Z);

        public static Vec3 operator *(Vec3 a, float s) => new Vec3(a.X * s, a.Y * s, a.Z * s);

        public static float Dot(Vec3 a, Vec3 b) => a.X * b.X + a.Y * b.Y + a.Z * b.Z;

        public static Vec3 Cross(Vec3 a, Vec3 b) =>
            new Vec3(a.Y * b.Z - a.Z * b.Y, a.Z * b.X - a.X * b.Z, a.X * b.Y - a.Y * b.X);

        public static Vec3 Lerp(Vec3 a, Vec3 b, float t) => a + (b - a) * t;

        public bool Equals(Vec3 other) => X == other.X && Y == other.Y && Z == other.Z;

        public override bool Equals(object obj) => obj is Vec3 other && Equals(other);

        public override int GetHashCode() => X.GetHashCode() ^ (Y.GetHashCode() * 31) ^ (Z.GetHashCode() * 961);

        public override string ToString() => "(" + X + ", " + Y + ", " + Z + ")";
    }

    /// <summary>What System.Math lacks in Unity's profiles.</summary>
    public static class Numeric
    {
        public static bool IsFinite(float value) => value - value == 0f;

        public static bool IsFinite(double value) => value - value == 0d;

        public static float Clamp(float value, float low, float high) =>
            value < low ? low : value > high ? high : value;

        public static double Clamp(double value, double low, double high) =>
            value < low ? low : value > high ? high : value;

        public static float Clamp01(float value) => Clamp(value, 0f, 1f);
    }
}
