using System;
using System.IO;
using NUnit.Framework;
using UnityEngine;

namespace Posestream.Tests
{
    /// <summary>The same rigs and poses through Python's forward kinematics and through avatars in the scene.</summary>
    [TestFixture]
    public class ConformanceTests
    {
        private byte[] _data;
        private int _at;

        private float[] Floats(int count)
        {
            float[] values = new float[count];
            Buffer.BlockCopy(_data, _at, values, 0, count * 4);
            _at += count * 4;
            return values;
        }

        private static Vec3 Vec(float[] f, int i) => new Vec3(f[3 * i], f[3 * i + 1], f[3 * i + 2]);

        private static Quat Turn(float[] f, int i) => new Quat(f[4 * i], f[4 * i + 1], f[4 * i + 2], f[4 * i + 3]);

        [Test]
        public void AvatarsStandAsPythonSays()
        {
            string path = Environment.GetEnvironmentVariable("POSESTREAM_CONFORMANCE");
            if (string.IsNullOrEmpty(path))
            {
                Assert.Ignore("POSESTREAM_CONFORMANCE does not name the file that tests/unity/conformance.py writes.");
            }
            _data = File.ReadAllBytes(path);
            int rigs = Little.I32(_data, 0);
            int poses = Little.I32(_data, 4);
            _at = 8;
            RestRig[] rest = new RestRig[rigs];
            float[] height = new float[rigs];
            for (int r = 0; r < rigs; r++)
            {
                rest[r] = ReadRig(out height[r]);
            }
            float[] roots = Floats(3 * poses);
            float[] turns = Floats(4 * Bones.Count * poses);
            for (int r = 0; r < rigs; r++)
            {
                Compare(r, rest[r], height[r], poses, roots, turns, Floats(3 * Bones.Count * poses), Floats(4 * Bones.Count * poses));
            }
            Assert.AreEqual(_data.Length, _at);
            Assert.GreaterOrEqual(rigs, 5);
            Assert.GreaterOrEqual(poses, 500);
        }

        private RestRig ReadRig(out float height)
        {
            RestRig rest = new RestRig();
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                rest.Present[bone] = _data[_at + bone] != 0;
            }
            _at += Bones.Count;
            height = Floats(1)[0];
            float[] places = Floats(3 * Bones.Count);
            float[] rotations = Floats(4 * Bones.Count);
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                rest.Position[bone] = Vec(places, bone);
                rest.Rotation[bone] = Turn(rotations, bone);
            }
            return rest;
        }

        private static void Compare(int r, RestRig rest, float height, int poses, float[] roots, float[] turns, float[] places, float[] worlds)
        {
            FakeHumanoid humanoid = new FakeHumanoid(rest, true);
            humanoid.Disturb(r);
            ScriptedFeed feed = new ScriptedFeed();
            PosestreamSource source = new GameObject("source").AddSilently<PosestreamSource>();
            source.Use(feed);
            PosestreamAvatar avatar = humanoid.Root.AddSilently<PosestreamAvatar>();
            avatar.source = source;
            avatar.fade = 0f;
            avatar.rootMode = RootMode.Metric;
            avatar.Bind();
            Assert.AreEqual(height, avatar.Rig.Solver.HipHeight, 1e-3f, "hip height of rig " + r);
            double worstM = 0, worstDeg = 0;
            for (int pose = 0; pose < poses; pose++)
            {
                feed.People(1);
                feed.Frame[0].RootPosition = Vec(roots, pose);
                for (int bone = 0; bone < Bones.Count; bone++)
                {
                    feed.Frame[0].Rotations[bone] = Turn(turns, pose * Bones.Count + bone);
                }
                source.Tick(1);
                avatar.Apply(1f / 60f);
                for (int bone = 0; bone < Bones.Count; bone++)
                {
                    if (humanoid.Bone[bone] == null)
                    {
                        continue;
                    }
                    int i = pose * Bones.Count + bone;
                    worstM = Math.Max(worstM, (humanoid.Bone[bone].position.ToCore() - Vec(places, i)).Length);
                    worstDeg = Math.Max(worstDeg, Quat.Angle(humanoid.Bone[bone].rotation.ToCore(), Turn(worlds, i)) * 57.29578);
                }
            }
            Console.WriteLine("rig {0}: {1} poses, worst {2:0.0000} mm, {3:0.0000} degrees", r, poses, worstM * 1000, worstDeg);
            Assert.Less(worstM, 1e-4);
            Assert.Less(worstDeg, 0.1);
        }
    }
}
