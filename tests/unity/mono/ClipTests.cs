using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using NUnit.Framework;
using UnityEngine;

namespace Posestream.Tests
{
    /// <summary>AR on the bundled clip: avatars with its people's proportions lie over them, in every picture of it.</summary>
    [TestFixture]
    public class ClipTests
    {
        private const double ClipWidth = 768;
        private const long LearntAfter = 90; // by then the daemon knows how long everybody's limbs are
        private const long LastPicture = 415;
        private const double WithinPx = 3.0;

        /// <summary>smoothing: with the preset's, as for a camera; without it the estimate's exactness reaches the avatar.</summary>
        [TestCase(0, false)]
        [TestCase(80, false)]
        [TestCase(0, true)]
        public void AvatarsLieOverThePeople(int jitterMs, bool smoothing)
        {
            Dictionary<long, double[]> truth = OverlayTests.Truth("POSESTREAM_AR_CLIP");
            string clip = Daemon.RunPython("from posestream.assets import DEMO_CLIP; print(DEMO_CLIP)");
            string more = "-c ar-multi-person --set websocket.picture_hz=30" + (smoothing ? "" : " --set smooth.smoothness=0");
            OverlayTests.Distances px = new OverlayTests.Distances();
            HashSet<long> seen = new HashSet<long>();
            using (Daemon daemon = new Daemon(clip, Daemon.FreePort(), more + " --set source.loop=true"))
            using (JitterProxy network = new JitterProxy(daemon.Port, jitterMs))
            {
                Stage stage = new Stage(network.Port);
                try
                {
                    daemon.Until(() => stage.Tick() && stage.Source.Frame.Sequence > LearntAfter, () => "3 s of the clip (" + stage.Source.Status + ")");
                    long last = -1;
                    daemon.Until(
                        () =>
                        {
                            stage.Tick();
                            long now = stage.Source.Frame.Sequence;
                            if (now != last && now < truth.Count - 1)
                            {
                                last = now;
                                seen.Add(now);
                                Assert.AreEqual(now, stage.Matched.PictureSequence, "the picture is that of the pose");
                                stage.Measure(truth, px);
                                stage.KeepPicture(jitterMs);
                            }
                            return now >= LastPicture;
                        },
                        "the rest of the clip");
                }
                finally
                {
                    stage.Source.Disconnect();
                }
            }
            Report(px, seen.Count, jitterMs, smoothing);
        }

        private static void Report(OverlayTests.Distances px, int pictures, int jitterMs, bool smoothing)
        {
            Console.WriteLine("the clip, {0} ms of jitter, smoothing {1}: {2} pictures", jitterMs, smoothing ? "on" : "off", pictures);
            Assert.Greater(pictures, 60); // a busy machine leaves out many
            for (int k = 0; k < OverlayTests.Points.Length; k++)
            {
                Console.WriteLine(
                    "  {0,-12} p50 {1:0.00} p95 {2:0.00} max {3:0.00} px at {4} px width",
                    OverlayTests.Names[k], px.Quantile(k, 0.5), px.Quantile(k, 0.95), px.Quantile(k, 1), OverlayTests.Width);
            }
            for (int k = 0; k < OverlayTests.Points.Length; k++)
            {
                bool hand = OverlayTests.Points[k] == Bones.LeftHand || OverlayTests.Points[k] == Bones.RightHand;
                Assert.Less(px.Quantile(k, smoothing && (hand || OverlayTests.Points[k] == Bones.Head) ? 0.5 : 0.95), WithinPx, OverlayTests.Names[k]);
            }
        }

        /// <summary>A scene with a matched camera, the picture behind it, and an avatar for everybody.</summary>
        private sealed class Stage
        {
            public readonly PosestreamSource Source;
            public readonly PosestreamCamera Matched;
            private readonly Camera _camera;
            private readonly PosestreamAvatar[] _avatars = new PosestreamAvatar[2];

            public Stage(int port)
            {
                Source = new GameObject("stage").AddSilently<PosestreamSource>();
                Source.stream.Address = "ws://127.0.0.1:" + port;
                Source.stream.Positions = true;
                Source.stream.Picture = true;
                Source.lockToPicture = true;
                GameObject view = new GameObject("camera");
                _camera = view.AddComponent<Camera>();
                Matched = view.AddSilently<PosestreamCamera>();
                Matched.source = Source;
                Matched.background = true;
                GameObject.Send(Matched, "OnEnable");
                Source.Connect();
            }

            public bool Tick() => OverlayTests.Tick(Source, Matched) && Matched.PictureSequence > 0;

            public void Measure(Dictionary<long, double[]> truth, OverlayTests.Distances px)
            {
                double[] ears = truth[-1];
                double[] real = Array.ConvertAll(truth[Source.Frame.Sequence], v => (v + 0.5) * OverlayTests.Width / ClipWidth - 0.5);
                for (int p = 0; p < Source.Frame.Count; p++)
                {
                    PersonPose person = Source.Frame[p];
                    if (person.Slot >= _avatars.Length || person.State != TrackState.Tracked)
                    {
                        continue;
                    }
                    PosestreamAvatar avatar = _avatars[person.Slot] = _avatars[person.Slot] ?? OverlayTests.Make(person, Source);
                    avatar.Apply(1f / 60f);
                    Transform[] bone = avatar.Rig.Transforms;
                    double u, v;
                    OverlayTests.Project(_camera, bone[Bones.Hips].position, out u, out v);
                    int who = OverlayTests.Nearest(real, u, v);
                    int e = who / 10 * 3;
                    Vector3 earsOfHead = new Vector3((float)ears[e], (float)ears[e + 1], (float)ears[e + 2]);
                    for (int k = 0; k < OverlayTests.Points.Length; k++)
                    {
                        OverlayTests.Project(_camera, Joint(bone, OverlayTests.Points[k], earsOfHead), out u, out v);
                        double du = u - real[who + 2 * k], dv = v - real[who + 2 * k + 1];
                        px.Px[k].Add(Math.Sqrt(du * du + dv * dv));
                    }
                }
            }

            /// <summary>Where the joints are labelled: between the hips, between the shoulders, between the ears, at the wrists.</summary>
            private static Vector3 Joint(Transform[] t, int bone, Vector3 earsOfHead)
            {
                switch (bone)
                {
                    case Bones.Hips: return (t[Bones.LeftUpperLeg].position + t[Bones.RightUpperLeg].position) * 0.5f;
                    case Bones.Neck: return (t[Bones.LeftUpperArm].position + t[Bones.RightUpperArm].position) * 0.5f;
                    case Bones.Head: return t[bone].position + t[bone].rotation * earsOfHead;
                    default: return t[bone].position;
                }
            }

            /// <summary>Some of the pictures that were shown, under their numbers: Python compares them with the clip's own.</summary>
            public void KeepPicture(int jitterMs)
            {
                string folder = Environment.GetEnvironmentVariable("POSESTREAM_UNITY_OUT");
                PictureMessage picture = Source.Client.Pictures.Copy(Source.PictureNs);
                if (string.IsNullOrEmpty(folder) || picture == null || picture.Sequence % 7 != 0)
                {
                    return;
                }
                folder = Path.Combine(folder, "pictures");
                Directory.CreateDirectory(folder);
                File.WriteAllBytes(Path.Combine(folder, jitterMs + "_" + picture.Sequence + ".jpg"), picture.Jpeg);
            }
        }
    }
}
