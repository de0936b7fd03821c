using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using NUnit.Framework;

namespace Posestream.Tests
{
    [TestFixture]
    public class VmcTests
    {
        private static int Feed(VmcDecoder decoder, PersonPose into, params byte[][] datagrams)
        {
            int frames = 0;
            foreach (byte[] data in datagrams)
            {
                decoder.Begin(data, data.Length);
                while (decoder.Next())
                {
                    decoder.Take(into);
                    frames++;
                }
            }
            return frames;
        }

        [Test]
        public void AFrameInOneBundle()
        {
            VmcDecoder decoder = new VmcDecoder();
            PersonPose person = new PersonPose();
            Assert.AreEqual(1, Feed(decoder, person, VmcBytes.Frame(2f, true)));
            Assert.AreEqual((1UL << Bones.Count) - 1, person.BoneValid);
            Assert.AreEqual(0.2f, Quat.Angle(Quat.Identity, person.Rotations[Bones.LeftHand]), 1e-5f);
            Assert.AreEqual(0.9f, person.RootPosition.Y, 1e-6f);
            Assert.AreEqual(0.25f, person.Expressions[0]);
            Assert.AreEqual("Joy", decoder.ExpressionNames[0]);
            Assert.AreEqual(1.2f * 0.92f / 0.84f, person.HipHeight, 1e-5f);
        }

        [Test]
        public void AFrameInSeveralBundlesIsOne()
        {
            VmcDecoder decoder = new VmcDecoder();
            PersonPose person = new PersonPose();
            int frames = Feed(
                decoder, person,
                VmcBytes.Bundle(VmcBytes.Message("/VMC/Ext/OK", 1, 3, 0, 1), VmcBytes.Message("/VMC/Ext/T", 1f), VmcBytes.Bone("Hips", 0.1f)),
                VmcBytes.Bundle(VmcBytes.Bone("Spine", 0.2f), VmcBytes.Bone("Head", 0.3f)),
                VmcBytes.Message("/VMC/Ext/Blend/Apply"));
            Assert.AreEqual(1, frames);
            Assert.AreEqual(1UL << Bones.Hips | 1UL << Bones.Spine | 1UL << Bones.Head, person.BoneValid);
        }

        [Test]
        public void WithoutApplyTheNextTimeEndsAFrame()
        {
            VmcDecoder decoder = new VmcDecoder();
            PersonPose person = new PersonPose();
            Assert.AreEqual(0, Feed(decoder, person, VmcBytes.Message("/VMC/Ext/T", 1f), VmcBytes.Bone("Hips", 0.1f)));
            Assert.AreEqual(1, Feed(decoder, person, VmcBytes.Message("/VMC/Ext/T", 2f)));
            Assert.AreEqual(0.1f, Quat.Angle(Quat.Identity, person.Rotations[Bones.Hips]), 1e-5f);
            Assert.AreEqual(2f, decoder.TimeS);
        }

        [Test]
        public void WithoutTimeABoneThatComesAgainEndsAFrame()
        {
            VmcDecoder decoder = new VmcDecoder();
            PersonPose person = new PersonPose();
            int frames = Feed(decoder, person, VmcBytes.Bone("Hips", 0.1f), VmcBytes.Bone("Head", 0.1f), VmcBytes.Bone("Hips", 0.5f));
            Assert.AreEqual(1, frames);
            Assert.AreEqual(0.1f, Quat.Angle(Quat.Identity, person.Rotations[Bones.Hips]), 1e-5f);
            Assert.IsTrue(decoder.Pending);
        }

        [Test]
        public void TravelInTheRootAndInTheHipsAddUp()
        {
            PersonPose person = new PersonPose();
            Feed(new VmcDecoder(), person, VmcBytes.Bundle(
                VmcBytes.Message("/VMC/Ext/Root/Pos", "root", 1f, 0f, 2f, 0f, 1f, 0f, 0f),
                VmcBytes.Message("/VMC/Ext/Bone/Pos", "Hips", 0.25f, 0.9f, 0.5f, 0f, 0f, 0f, 1f),
                VmcBytes.Message("/VMC/Ext/Blend/Apply")));
            Assert.AreEqual(new Vec3(0.75f, 0.9f, 1.5f), person.RootPosition);
            Assert.AreEqual((float)Math.PI, Quat.Angle(Quat.Identity, person.RootRotation), 1e-5f);
        }

        [Test]
        public void Allocates0Bytes()
        {
            VmcPort port = new VmcPort(0, new PlaybackSettings());
            byte[][] frames = new byte[40][];
            for (int i = 0; i < frames.Length; i++)
            {
                frames[i] = VmcBytes.Frame(i / 60f, true);
            }
            PoseFrame shown = new PoseFrame();
            int n = 0;
            long now = 0;
            Assert.AreEqual(0, Allocations.Of(400, () =>
            {
                byte[] data = frames[n++ % frames.Length];
                port.Feed(data, data.Length, now += 16666667);
                port.Buffer.Sample(now, shown);
            }));
            Assert.AreEqual(1, shown.Count);
        }

        [Test]
        public void SeveralPortsAreSeveralPeople()
        {
            int[] ports = { FreePort(), FreePort() };
            using (VmcFeed feed = new VmcFeed(ports, false, new PlaybackSettings()))
            using (UdpClient sender = new UdpClient())
            {
                feed.Start();
                Assert.AreEqual(FeedState.Connected, feed.State);
                PoseFrame shown = new PoseFrame();
                for (int i = 0; i < 100 && shown.Count < 2; i++)
                {
                    byte[] data = VmcBytes.Frame(i / 60f, false);
                    sender.Send(data, data.Length, "127.0.0.1", ports[0]);
                    sender.Send(data, data.Length, "127.0.0.1", ports[1]);
                    Thread.Sleep(10);
                    feed.Sample(MonotonicClock.NowNs, shown);
                }
                Assert.AreEqual(2, shown.Count);
                Assert.AreEqual(0, shown[0].Slot);
                Assert.AreEqual(1, shown[1].Slot);
            }
        }

        [Test]
        public void APortInUseIsSaid()
        {
            int port = FreePort();
            using (Socket other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
            using (VmcFeed feed = new VmcFeed(new[] { port }, false, new PlaybackSettings()))
            {
                other.ExclusiveAddressUse = true;
                other.Bind(new IPEndPoint(IPAddress.Loopback, port));
                feed.Start();
                Assert.AreEqual(FeedState.Waiting, feed.State);
                StringAssert.Contains("port " + port + " is in use", feed.Status);
            }
        }

        private static int FreePort()
        {
            using (UdpClient client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0)))
            {
                return ((IPEndPoint)client.Client.LocalEndPoint).Port;
            }
        }
    }
}
