using System;
using System.IO;
using System.Threading;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>From a real daemon over real sockets.</summary>
    [TestFixture]
    public class DaemonTests
    {
        private static StreamClient Client(int port, Action<StreamSettings> change = null)
        {
            StreamSettings settings = new StreamSettings { Address = "ws://127.0.0.1:" + port };
            if (change != null)
            {
                change(settings);
            }
            return new StreamClient(settings, new PlaybackSettings());
        }

        private static bool Sees(StreamClient client, PoseFrame shown, int people)
        {
            client.Sample(MonotonicClock.NowNs, shown);
            return client.State == FeedState.Connected && shown.Count == people;
        }

        [TestCase(1)]
        [TestCase(4)]
        public void PeopleArriveAndMove(int people)
        {
            PoseFrame shown = new PoseFrame();
            using (Daemon daemon = new Daemon(people, Daemon.FreePort()))
            using (StreamClient client = Client(daemon.Port, s => s.Packed = people == 4))
            {
                client.Start();
                daemon.Until(() => Sees(client, shown, people), people + " people");
                Vec3 before = shown[0].RootPosition;
                Quat arm = shown[0].Rotations[Bones.LeftUpperArm];
                bool moved = false;
                for (int i = 0; i < 180; i++)
                {
                    Thread.Sleep(16);
                    client.Sample(MonotonicClock.NowNs, shown);
                    moved |= shown.Count > 0 && (Quat.Angle(arm, shown[0].Rotations[Bones.LeftUpperArm]) > 0.05f || (shown[0].RootPosition - before).Length > 0.05f);
                }
                Assert.IsTrue(moved);
                Assert.IsNotNull(client.Hello);
                Assert.AreEqual(448, client.Hello.WidthPx);
                FeedFigures figures = new FeedFigures();
                client.Measure(figures);
                Console.WriteLine(
                    "{0} people: camera to avatar p50 {1:0} ms p95 {2:0} ms, jitter p95 {3:0.0} ms, held back {4:0} ms, round trip {5:0.00} ms, {6:0.0} % concealed, {7:0.0} % left out",
                    people, figures.LatencyMs, figures.LatencyP95Ms, figures.JitterP95Ms, figures.BufferMs, figures.RoundTripMs, figures.Concealed * 100, figures.LossPercent);
                Assert.That(figures.LatencyMs, Is.InRange(0f, 1000f));
                Assert.AreEqual(0, figures.BadMessages);
                Assert.That(figures.FramesPerSecond, Is.InRange(5f, 60f));
            }
        }

        [Test]
        public void ReceivingAllocates0Bytes()
        {
            using (Daemon daemon = new Daemon(2, Daemon.FreePort()))
            using (SocketTransport transport = new SocketTransport())
            {
                string problem;
                StreamAddress address = StreamAddress.Parse("ws://127.0.0.1:" + daemon.Port, out problem);
                daemon.Until(() => Connects(transport, address), "the connection");
                FrameDecoder decoder = new FrameDecoder();
                PoseFrame frame = new PoseFrame();
                MessageWriter writer = new MessageWriter();
                int frames = 0, times = 0;
                long bytes = Allocations.Of(60, () =>
                {
                    if (times++ % 10 == 0)
                    {
                        writer.ClockRequest(MonotonicClock.NowNs);
                        transport.Send(writer.Data, 0, writer.Count);
                    }
                    int count = transport.Receive(2000);
                    frames += count > 0 && decoder.Decode(transport.Buffer, 0, count, frame) == WireError.None ? 1 : 0;
                });
                Assert.Greater(frames, 10);
                Assert.AreEqual(0, bytes);
            }
        }

        private static bool Connects(SocketTransport transport, StreamAddress address)
        {
            try
            {
                transport.Connect(address, StreamAddress.Resource(false, false, 0f), "", 2000);
                return true;
            }
            catch (StreamException)
            {
                return false;
            }
        }

        [Test]
        public void ADaemonThatDiesAndComesBack()
        {
            PoseFrame shown = new PoseFrame();
            using (Daemon daemon = new Daemon(2, Daemon.FreePort()))
            using (StreamClient client = Client(daemon.Port))
            {
                client.Start();
                daemon.Until(() => Sees(client, shown, 2), "2 people");
                daemon.Kill();
                daemon.Until(() => client.State == FeedState.Waiting, "noticing");
                Assert.AreEqual(2, shown.Count, "the last pose is still there");
                daemon.Until(() => client.Problem == ConnectionProblem.NobodyThere, "an attempt");
                StringAssert.Contains("No daemon at 127.0.0.1:" + daemon.Port, client.Status);
                daemon.Start();
                daemon.Until(() => client.Connections == 2 && Sees(client, shown, 2), "2 people again");
            }
        }

        [Test]
        public void ADaemonThatFreezesAndThaws()
        {
            PoseFrame shown = new PoseFrame();
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (StreamClient client = Client(daemon.Port))
            {
                client.Start();
                daemon.Until(() => Sees(client, shown, 1), "1 person");
                daemon.Signal("STOP");
                daemon.Until(() => client.State != FeedState.Connected, "noticing");
                Assert.AreEqual(ConnectionProblem.Frozen, client.Problem);
                StringAssert.Contains("said nothing for 2 s", client.Status);
                daemon.Signal("CONT");
                daemon.Until(() => client.Connections >= 2 && Sees(client, shown, 1), "1 person again");
            }
        }

        [Test]
        public void AWrongTokenIsSaid()
        {
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (StreamClient client = Client(daemon.Port, s => s.Token = "wrong-wrong-wrong-wrong"))
            {
                client.Start();
                daemon.Until(() => client.Problem == ConnectionProblem.TokenRefused, "a refusal");
                StringAssert.Contains("refuses the token", client.Status);
                StringAssert.Contains("The token is wrong.", client.Status);
            }
        }

        [Test]
        public void ControlIsAnsweredWithAReason()
        {
            PoseFrame shown = new PoseFrame();
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (StreamClient client = Client(daemon.Port))
            {
                client.Start();
                daemon.Until(() => Sees(client, shown, 1), "1 person");
                uint id = client.Control("no_such_thing", null);
                ReplyMessage reply = null;
                daemon.Until(() => client.TryTakeReply(out reply) && reply.Id == id, "the reply");
                Assert.IsFalse(reply.Ok);
                Assert.IsNotEmpty(reply.Reason);
            }
        }

        [Test]
        public void ARecordingIsReadByPython()
        {
            string path = Path.Combine(Path.GetTempPath(), "posestream-" + Guid.NewGuid().ToString("N") + ".psrec");
            PoseFrame shown = new PoseFrame();
            try
            {
                using (Daemon daemon = new Daemon(2, Daemon.FreePort()))
                using (StreamClient client = Client(daemon.Port))
                {
                    client.Start();
                    daemon.Until(() => Sees(client, shown, 2), "2 people");
                    client.StartRecording(path);
                    Thread.Sleep(1500);
                    long frames = client.StopRecording();
                    Assert.Greater(frames, 10);
                    string read = Daemon.RunPython(
                        "import struct;from posestream.wire import codec,recording as r;d=open('" + path + "','rb').read();r.unpack_header(d);"
                        + "i=r.unpack_trailer(d[-20:]);e=r.unpack_entry_header(d[i:i+16]);p=d[i+16:i+16+e.length];assert e.covers(p);t=r.unpack_index(p);"
                        + "f=[codec.decode(d[o+16:o+16+r.unpack_entry_header(d[o:o+16]).length]) for _,o in t.tolist()];"
                        + "print(len(f), len(f[-1]), type(codec.decode(d[40:40+r.unpack_entry_header(d[24:40]).length])).__name__)");
                    Assert.AreEqual(frames + " 2 Hello", read);
                }
                using (RecordingFeed feed = new RecordingFeed(path, false, new PlaybackSettings()))
                {
                    feed.Start();
                    for (long now = 0; now < 1000000000; now += 16666667)
                    {
                        feed.Sample(now, shown);
                    }
                    Assert.AreEqual(2, shown.Count);
                    Assert.IsNotNull(feed.Hello);
                }
            }
            finally
            {
                File.Delete(path);
            }
        }

        [Test]
        public void OverVmcThePoseIsTheSame()
        {
            int vmcPort = Daemon.FreePort();
            PoseFrame shown = new PoseFrame();
            PoseFrame vmc = new PoseFrame();
            using (Daemon daemon = new Daemon(1, Daemon.FreePort(), "--set vmc.port=" + vmcPort))
            using (StreamClient client = Client(daemon.Port))
            using (VmcFeed feed = new VmcFeed(new[] { vmcPort }, false, new PlaybackSettings()))
            {
                client.Start();
                feed.Start();
                daemon.Until(() => Sees(client, shown, 1) && feed.Sample(MonotonicClock.NowNs, vmc), "1 person on both ways");
                double worst = 0;
                for (int i = 0; i < 60; i++)
                {
                    Thread.Sleep(16);
                    long now = MonotonicClock.NowNs;
                    client.Sample(now, shown);
                    feed.Sample(now, vmc);
                    if (i > 20)
                    {
                        foreach (int bone in new[] { Bones.Hips, Bones.Spine, Bones.LeftUpperArm, Bones.RightUpperLeg, Bones.Head })
                        {
                            worst = Math.Max(worst, Quat.Angle(shown[0].Rotations[bone], vmc[0].Rotations[bone]));
                        }
                    }
                }
                // two buffers play at delays of their own: a few milliseconds of motion apart
                Assert.Less(worst, 0.35);
            }
        }

        [TestCase(0)]
        [TestCase(80)]
        public void ThePictureShownIsThatOfThePose(int jitterMs)
        {
            using (Daemon daemon = new Daemon(2, Daemon.FreePort(), "--set websocket.picture_hz=30"))
            using (JitterProxy network = new JitterProxy(daemon.Port, jitterMs))
            {
                UnityEngine.GameObject stage = new UnityEngine.GameObject("stage");
                PosestreamSource source = stage.AddSilently<PosestreamSource>();
                source.stream.Address = "ws://127.0.0.1:" + network.Port;
                source.stream.Picture = true;
                source.lockToPicture = true;
                UnityEngine.GameObject view = new UnityEngine.GameObject("camera");
                view.AddComponent<UnityEngine.Camera>();
                PosestreamCamera camera = view.AddSilently<PosestreamCamera>();
                camera.source = source;
                camera.background = true;
                UnityEngine.GameObject.Send(camera, "OnEnable");
                source.Connect();
                try
                {
                    daemon.Until(() => Tick(source, camera) && camera.PictureSequence > 0, () => "a picture (" + source.Status + ")");
                    int same = 0, pictures = 0;
                    long last = 0;
                    for (int i = 0; i < 240; i++)
                    {
                        Thread.Sleep(12);
                        Tick(source, camera);
                        same += source.Frame.Sequence == camera.PictureSequence ? 1 : 0;
                        pictures += camera.PictureSequence != last ? 1 : 0;
                        last = camera.PictureSequence;
                    }
                    Console.WriteLine("{0} ms of jitter: picture and pose of the same frame {1} of 240 times, {2} pictures", jitterMs, same, pictures);
                    Assert.AreEqual(240, same);
                    Assert.Greater(pictures, 10);
                }
                finally
                {
                    source.Disconnect();
                }
            }
        }

        private static bool Tick(PosestreamSource source, PosestreamCamera camera)
        {
            source.Tick(MonotonicClock.NowNs);
            camera.Tick();
            return source.HasFrame;
        }
    }
}
