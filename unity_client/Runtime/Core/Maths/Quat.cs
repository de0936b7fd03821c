using System;

namespace Posestream
{
    /// <summary>A rotation in Unity's axes, x y z w; the same memory as UnityEngine.Quaternion.</summary>
    public readonly struct Quat : IEquatable<Quat>
    {
        public readonly float X;
        public readonly float Y;
        public readonly float Z;
        public readonly float W;

        public static readonly Quat Identity = new Quat(0f, 0f, 0f, 1f);

        public Quat(float x, float y, float z, float w)
        {
            X = x;
            Y = y;
            Z = z;
            W = w;
        }

        public Quat Inverse => new Quat(-X, -Y, -Z, W);

        public Quat Negated => new Quat(-X, -Y, -Z, -W);

        public Vec3 Axis => new Vec3(X, Y, Z);

        /// <summary>Reflected in the plane x = 0.</summary>
        public Quat Reflected => new Quat(X, -Y, -Z, W);

        /// <summary>Unit length; what has no direction becomes the identity.</summary>
        public Quat Normalised
        {
            get
            {
                float square = Dot(this, this);
                if (!(square > 1e-12f) || !Numeric.IsFinite(square))
                {
                    return Identity;
                }
                float s = 1f / (float)Math.Sqrt(square);
                return new Quat(X * s, Y * s, Z * s, W * s);
            }
        }

        public static float Dot(Quat a, Quat b) => a.X * b.X + a.Y * b.Y + a.Z * b.Z + a.W * b.W;

        public static Quat operator *(Quat a, Quat b) => new Quat(
            a.W * b.X + a.X * b.W + a.Y * b.Z - a.Z * b.Y,
            a.W * b.Y - a.X * b.Z + a.Y * b.W + a.Z * b.X,
            a.W * b.Z + a.X * b.Y - a.Y * b.X + a.Z * b.W,
            a.W * b.W - a.X * b.X - a.Y * b.Y - a.Z * b.Z);

        public static Vec3 operator *(Quat q, Vec3 v)
        {
            Vec3 t = Vec3.Cross(q.Axis, v) * 2f;
            return v + t * q.W + Vec3.Cross(q.Axis, t);
        }

        /// <summary>The shortest way from a to b; t may leave 0 to 1.</summary>
        public static Quat Slerp(Quat a, Quat b, float t)
        {
            float dot = Dot(a, b);
            if (dot < 0f)
            {
                b = b.Negated;
                dot = -dot;
            }
            float wa = 1f - t;
            float wb = t;
            if (dot < 0.9995f)
            {
                double angle = Math.Acos(dot);
                double s = 1.0 / Math.Sin(angle);
                wa = (float)(Math.Sin(wa * angle) * s);
                wb = (float)(Math.Sin(wb * angle) * s);
            }
            return new Quat(
                wa * a.X + wb * b.X, wa * a.Y + wb * b.Y, wa * a.Z + wb * b.Z, wa * a.W + wb * b.W).Normalised;
        }

        /// <summary>The angle between two rotations, radians.</summary>
        public static float Angle(Quat a, Quat b)
        {
            Quat d = a.Inverse * b;
            return 2f * (float)Math.Atan2(d.Axis.Length, Math.Abs(d.W));
        }

        public static Quat AngleAxis(float radians, Vec3 axis)
        {
            Vec3 v = axis.Normalised * (float)Math.Sin(radians * 0.5);
            return new Quat(v.X, v.Y, v.Z, (float)Math.Cos(radians * 0.5));
        }

        /// <summary>The shortest rotation that takes one direction to another.</summary>
        public static Quat Between(Vec3 from, Vec3 to)
        {
            from = from.Normalised;
            to = to.Normalised;
            float dot = Vec3.Dot(from, to);
            if (dot < -0.999999f)
            {
                Vec3 axis = Math.Abs(from.X) < 0.9f ? new Vec3(1f, 0f, 0f) : new Vec3(0f, 1f, 0f);
                return AngleAxis((float)Math.PI, Vec3.Cross(from, axis));
            }
            Vec3 c = Vec3.Cross(from, to);
            return new Quat(c.X, c.Y, c.Z, 1f + dot).Normalised;
        }

        /// <summary>From the columns of a rotation matrix.</summary>
        public static Quat FromAxes(Vec3 x, Vec3 y, Vec3 z)
        {
            float trace = x.X + y.Y + z.Z;
            if (trace > 0f)
            {
                return new Quat(y.Z - z.Y, z.X - x.Z, x.Y - y.X, 1f + trace).Normalised;
            }
            if (x.X >= y.Y && x.X >= z.Z)
            {
                return new Quat(1f + x.X - y.Y - z.Z, x.Y + y.X, z.X + x.Z, y.Z - z.Y).Normalised;
            }
            return y.Y >= z.Z
                ? new Quat(x.Y + y.X, 1f + y.Y - x.X - z.Z, y.Z + z.Y, z.X - x.Z).Normalised
                : new Quat(z.X + x.Z, y.Z + z.Y, 1f + z.Z - x.X - y.Y, x.Y - y.X).Normalised;
        }

        public bool Equals(Quat other) => X == other.X && Y == other.Y && Z == other.Z && W == other.W;

        public override bool Equals(object obj) => obj is Quat other && Equals(other);

        public override int GetHashCode() => X.GetHashCode() ^ (Y.GetHashCode() * 31) ^ (Z.GetHashCode() * 961) ^ W.GetHashCode();

        public override string ToString() => "(" + X + ", " + Y + ", " + Z + ", " + W + ")";
    }
}
