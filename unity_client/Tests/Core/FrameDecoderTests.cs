using System;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>Frames as the daemon writes them.</summary>
    [TestFixture]
    public class FrameDecoderTests
    {
        private static byte[] Bytes(string base64) => Convert.FromBase64String(base64);

        private static PoseFrame Decoded(string base64)
        {
            byte[] data = Bytes(base64);
            PoseFrame frame = new PoseFrame();
            Assert.AreEqual(WireError.None, new FrameDecoder().Decode(data, 0, data.Length, frame));
            return frame;
        }

        /// <summary>Bone b is turned by b hundredths of a radian about x, y, z in turn, in the daemon's axes.</summary>
        private static Quat Expected(int bone)
        {
            float s = (float)Math.Sin(bone * 0.005);
            float c = (float)Math.Cos(bone * 0.005);
            switch (bone % 3)
            {
                case 0: return new Quat(s, 0f, 0f, c);
                case 1: return new Quat(0f, -s, 0f, c);
                default: return new Quat(0f, 0f, -s, c);
            }
        }

        private static void CheckPerson(PoseFrame frame, double tolerance)
        {
            Assert.AreEqual(42, frame.Sequence);
            Assert.AreEqual(1000000007L, frame.CaptureNs);
            Assert.AreEqual(1000000009L, frame.PublishNs);
            Assert.AreEqual(1700000000000000000L, frame.UtcOffsetNs);
            Assert.AreEqual(1, frame.Count);
            PersonPose person = frame[0];
            Assert.AreEqual(5000000000L, person.TrackId);
            Assert.AreEqual(2, person.Slot);
            Assert.AreEqual(TrackState.Held, person.State);
            Assert.AreEqual(0.75f, person.Confidence);
            Assert.AreEqual(0.92f, person.HipHeight);
            Assert.AreEqual(new Vec3(-0.25f, 0.875f, -2f), person.RootPosition);
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                Quat want = Expected(bone);
                Quat have = person.Rotations[bone];
                Assert.AreEqual(1.0, Math.Abs(Quat.Dot(want, have)), 1e-6, Bones.Names[bone]);
                Assert.LessOrEqual(Quat.Angle(want, have), tolerance, Bones.Names[bone]);
                Assert.AreEqual(bone % 2 == 0, person.IsValid(bone));
            }
            Assert.AreEqual(2, person.ExpressionCount);
            Assert.AreEqual(0.5f, person.Expressions[0]);
            Assert.AreEqual(0.25f, person.Expressions[1]);
        }

        [Test]
        public void UnityAxes() => CheckPerson(Decoded(GoldenMessages.FrameUnity), 1e-6);

        [Test]
        public void PackedRotations() => CheckPerson(Decoded(GoldenMessages.FramePacked), 1.5e-4);

        [Test]
        public void GltfAxesAreMirrored()
        {
            PoseFrame frame = Decoded(GoldenMessages.FrameRecorded);
            CheckPerson(frame, 1e-6);
            Assert.IsTrue(frame[0].HasPositions);
            // bone 3 lies 0.03 m along the daemon's x from the root at x = 0.25
            Assert.AreEqual(-0.28f, frame[0].Positions[3].X, 1e-6f);
            Assert.AreEqual(0.875f + 0.04f, frame[0].Positions[4].Y, 1e-6f);
        }

        [Test]
        public void WhatIsDamagedIsRefusedAndLeavesTheFrameAlone()
        {
            byte[] good = Bytes(GoldenMessages.FrameUnity);
            FrameDecoder decoder = new FrameDecoder();
            PoseFrame frame = new PoseFrame { Sequence = 7 };
            Assert.AreEqual(WireError.WrongLength, decoder.Decode(good, 0, good.Length - 1, frame));
            Assert.AreEqual(WireError.TooShort, decoder.Decode(good, 0, 3, frame));
            Assert.AreEqual(WireError.OtherVersion, decoder.Decode(With(good, 2, 9), 0, good.Length, frame));
            Assert.AreEqual(WireError.OtherKind, decoder.Decode(With(good, 3, 3), 0, good.Length, frame));
            Assert.AreEqual(WireError.NotOurs, decoder.Decode(With(good, 0, 0), 0, good.Length, frame));
            Assert.AreEqual(WireError.OutOfRange, decoder.Decode(With(good, 16 + 34, 54), 0, good.Length, frame));
            Assert.AreEqual(WireError.OutOfRange, decoder.Decode(With(good, 64 + 10, 3), 0, good.Length, frame));
            byte[] nan = With(With(good, 128 + 3, 0x7F), 128 + 2, 0xC0);
            Assert.AreEqual(WireError.NotFinite, decoder.Decode(nan, 0, nan.Length, frame));
            Assert.AreEqual(7, frame.Sequence);
            Assert.AreEqual(0, frame.Count);
        }

        private static byte[] With(byte[] data, int at, byte value)
        {
            byte[] copy = (byte[])data.Clone();
            copy[at] = value;
            return copy;
        }

        [Test]
        public void SectionsThatAreNotKnownAreSkipped()
        {
            byte[] good = Bytes(GoldenMessages.FrameUnity);
            byte[] longer = new byte[good.Length + 8 + 5];
            Buffer.BlockCopy(good, 0, longer, 0, good.Length);
            Little.Put16(longer, good.Length, 999);
            Little.Put32(longer, good.Length + 4, 5);
            Little.Put32(longer, 4, (uint)longer.Length);
            PoseFrame frame = new PoseFrame();
            Assert.AreEqual(WireError.None, new FrameDecoder().Decode(longer, 0, longer.Length, frame));
            CheckPerson(frame, 1e-6);
        }

        [Test]
        public void Allocates0Bytes()
        {
            byte[] plain = Bytes(GoldenMessages.FrameUnity);
            byte[] packed = Bytes(GoldenMessages.FramePacked);
            FrameDecoder decoder = new FrameDecoder();
            PoseFrame frame = new PoseFrame();
            Assert.AreEqual(0, Allocations.Of(1000, () =>
            {
                decoder.Decode(plain, 0, plain.Length, frame);
                decoder.Decode(packed, 0, packed.Length, frame);
            }));
        }

        [Test]
        public void Hello()
        {
            byte[] data = Bytes(GoldenMessages.HelloUnity);
            WireError error;
            HelloMessage hello = HelloMessage.Decode(data, 0, data.Length, out error);
            Assert.AreEqual(WireError.None, error);
            Assert.AreEqual("0.1", hello.DaemonVersion);
            Assert.AreEqual(30.0, hello.SourceFps);
            Assert.AreEqual(640, hello.WidthPx);
            Assert.AreEqual(480, hello.HeightPx);
            Assert.AreEqual(500.0, hello.CameraK[0]);
            Assert.AreEqual(319.5, hello.CameraK[2]);
            CollectionAssert.AreEqual(Bones.Names, hello.BoneNames);
            CollectionAssert.AreEqual(Bones.Expressions, hello.ExpressionNames);
            Assert.IsTrue(hello.BonesMatch);
            // a level camera looks along -Z of the world, its x to the world's -x in Unity's axes
            CollectionAssert.AreEqual(new double[] { -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1 }, hello.CameraPose);
        }

        [Test]
        public void Event()
        {
            byte[] data = Bytes(GoldenMessages.Event);
            WireError error;
            EventMessage message = EventMessage.Decode(data, 0, data.Length, out error);
            Assert.AreEqual(EventKind.PersonAppeared, message.Kind);
            Assert.AreEqual(9, message.TimeNs);
            Assert.AreEqual(2, message.Slot);
            Assert.AreEqual(5, message.TrackId);
            Assert.AreEqual("hi", message.Text);
        }
    }
}
