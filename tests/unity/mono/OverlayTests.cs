using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;
using NUnit.Framework;
using UnityEngine;

namespace Posestream.Tests
{
    /// <summary>AR: avatars with the people's proportions stand where the people are in the picture.</summary>
    [TestFixture]
    public class OverlayTests
    {
        internal const int Width = 448;
        private const int Height = 252;
        private const int Stride = 10;
        internal static readonly int[] Points = { Bones.Hips, Bones.Neck, Bones.Head, Bones.LeftHand, Bones.RightHand };
        internal static readonly string[] Names = { "hips", "neck", "head", "left wrist", "right wrist" };

        internal sealed class Distances
        {
            public readonly List<double>[] Px = Array.ConvertAll(Points, _ => new List<double>());

            public double Quantile(int point, double q)
            {
                Px[point].Sort();
                return Px[point].Count == 0 ? double.NaN : Px[point][(int)(q * (Px[point].Count - 1))];
            }
        }

        internal static Dictionary<long, double[]> Truth(string variable)
        {
            string path = Environment.GetEnvironmentVariable(variable);
            if (string.IsNullOrEmpty(path))
            {
                Assert.Ignore(variable + " does not name the file that tests/unity/ar_truth.py writes.");
            }
            Dictionary<long, double[]> table = new Dictionary<long, double[]>();
            foreach (string line in File.ReadAllLines(path))
            {
                double[] numbers = Array.ConvertAll(line.Split(' '), word => double.Parse(word, CultureInfo.InvariantCulture));
                double[] rest = new double[numbers.Length - 1];
                Array.Copy(numbers, 1, rest, 0, rest.Length);
                table[(long)numbers[0]] = rest;
            }
            return table;
        }

        [Test]
        public void AvatarsStandOnThePeople()
        {
            Dictionary<long, double[]> truth = Truth("POSESTREAM_AR_TRUTH");
            GameObject stage = new GameObject("stage");
            PosestreamSource source = stage.AddSilently<PosestreamSource>();
            source.stream.Positions = true;
            source.playback.Mode = PlaybackMode.Newest;
            GameObject view = new GameObject("camera");
            Camera camera = view.AddComponent<Camera>();
            PosestreamCamera matched = view.AddSilently<PosestreamCamera>();
            matched.source = source;
            GameObject.Send(matched, "OnEnable");
            Distances fromDaemon = new Distances();
            Distances fromTruth = new Distances();
            PosestreamAvatar[] avatars = new PosestreamAvatar[2];
            using (Daemon daemon = new Daemon(2, Daemon.FreePort(), "-c ar-multi-person"))
            {
                source.stream.Address = "ws://127.0.0.1:" + daemon.Port;
                source.Connect();
                try
                {
                    daemon.Until(() => Tick(source, matched) && source.Frame.Count == 2 && source.Frame.Sequence > 90, "2 people for 3 s");
                    long last = -1;
                    for (int i = 0; i < 400; i++)
                    {
                        Thread.Sleep(8);
                        Tick(source, matched);
                        double[] real;
                        if (source.Frame.Sequence == last || !truth.TryGetValue(source.Frame.Sequence, out real))
                        {
                            continue;
                        }
                        last = source.Frame.Sequence;
                        for (int p = 0; p < source.Frame.Count; p++)
                        {
                            PersonPose person = source.Frame[p];
                            if (person.Slot < 2 && person.State == TrackState.Tracked)
                            {
                                avatars[person.Slot] = avatars[person.Slot] ?? Make(person, source);
                                Measure(avatars[person.Slot], person, camera, real, fromDaemon, fromTruth);
                            }
                        }
                    }
                }
                finally
                {
                    source.Disconnect();
                }
            }
            for (int k = 0; k < Points.Length; k++)
            {
                Console.WriteLine(
                    "{0,-12} avatar from the daemon's joint: p50 {1:0.00} p95 {2:0.00} px; from the true joint: p50 {3:0.00} p95 {4:0.00} px ({5} times)",
                    Names[k], fromDaemon.Quantile(k, 0.5), fromDaemon.Quantile(k, 0.95), fromTruth.Quantile(k, 0.5), fromTruth.Quantile(k, 0.95),
                    fromTruth.Px[k].Count);
            }
            for (int k = 0; k < Points.Length; k++)
            {
                Assert.Greater(fromTruth.Px[k].Count, 50);
                Assert.Less(fromDaemon.Quantile(k, 0.95), 3.0, Names[k]);
            }
            for (int k = 0; k < Points.Length; k++)
            {
                Assert.Less(fromTruth.Quantile(k, 0.5), 3.0, Names[k]);
            }
            for (int k = 0; k < 3; k++)
            {
                Assert.Less(fromTruth.Quantile(k, 0.95), 3.0, Names[k]);
            }
        }

        internal static bool Tick(PosestreamSource source, PosestreamCamera camera)
        {
            source.Tick(MonotonicClock.NowNs);
            camera.Tick();
            return source.HasFrame;
        }

        /// <summary>An avatar whose bones are as long as the person's.</summary>
        internal static PosestreamAvatar Make(PersonPose person, PosestreamSource source)
        {
            RestRig rest = RestRig.Own();
            foreach (int bone in Bones.Order)
            {
                int parent = Bones.Parent[bone];
                if (parent < 0)
                {
                    rest.Position[bone] = new Vec3(0f, person.HipHeight, 0f);
                    continue;
                }
                float length = (person.Positions[bone] - person.Positions[parent]).Length;
                Vec3 way = Bones.RestOffset[bone];
                rest.Position[bone] = rest.Position[parent] + (Numeric.IsFinite(length) ? way.Normalised * length : way);
            }
            PosestreamAvatar avatar = new FakeHumanoid(rest).Root.AddSilently<PosestreamAvatar>();
            avatar.source = source;
            avatar.slot = person.Slot;
            avatar.fade = 0f;
            avatar.rootMode = RootMode.Metric;
            avatar.Bind();
            return avatar;
        }

        private static void Measure(
            PosestreamAvatar avatar, PersonPose person, Camera camera, double[] real, Distances fromDaemon, Distances fromTruth)
        {
            avatar.Apply(1f / 60f);
            double u, v;
            Project(camera, avatar.Rig.Transforms[Bones.Hips].position, out u, out v);
            int who = Nearest(real, u, v);
            for (int k = 0; k < Points.Length; k++)
            {
                int bone = Points[k];
                if (!person.IsValid(bone) || !person.Positions[bone].IsFinite)
                {
                    continue;
                }
                double du, dv;
                Project(camera, avatar.Rig.Transforms[bone].position, out u, out v);
                Project(camera, person.Positions[bone].ToUnity(), out du, out dv);
                fromDaemon.Px[k].Add(Math.Sqrt((u - du) * (u - du) + (v - dv) * (v - dv)));
                Project(camera, Joint(avatar, bone), out u, out v);
                double tu = u - real[who + 2 * k];
                double tv = v - real[who + 2 * k + 1];
                fromTruth.Px[k].Add(Math.Sqrt(tu * tu + tv * tv));
            }
        }

        /// <summary>
        /// What pictures are labelled with: the middle of the hip joints, below the Hips bone; the centre of the head, above
        /// the Head bone, which is at the base of the skull; the middle of the shoulder joints, below the Neck bone.
        /// </summary>
        private static Vector3 Joint(PosestreamAvatar avatar, int bone)
        {
            Transform[] t = avatar.Rig.Transforms;
            switch (bone)
            {
                case Bones.Hips: return (t[Bones.LeftUpperLeg].position + t[Bones.RightUpperLeg].position) * 0.5f;
                case Bones.Neck: return (t[Bones.LeftUpperArm].position + t[Bones.RightUpperArm].position) * 0.5f;
                case Bones.Head: return t[bone].position + t[bone].rotation * (new Vector3(0f, 0.07f, 0.02f) * (avatar.Rig.Solver.HipHeight / 0.92f));
                default: return t[bone].position;
            }
        }

        internal static int Nearest(double[] real, double u, double v)
        {
            int best = 0;
            double least = double.PositiveInfinity;
            for (int i = 0; i + Stride <= real.Length; i += Stride)
            {
                double far = Math.Abs(real[i] - u) + Math.Abs(real[i + 1] - v);
                if (far < least)
                {
                    least = far;
                    best = i;
                }
            }
            return best;
        }

        internal static void Project(Camera camera, Vector3 at, out double u, out double v)
        {
            Vector3 p = camera.transform.InverseTransformPoint(at);
            Matrix4x4 m = camera.projectionMatrix;
            double x = m[0, 0] * p.x + m[0, 1] * p.y - m[0, 2] * p.z;
            double y = m[1, 1] * p.y - m[1, 2] * p.z;
            u = (x / p.z + 1) / 2 * Width - 0.5;
            v = (1 - y / p.z) / 2 * Height - 0.5;
        }
    }
}
