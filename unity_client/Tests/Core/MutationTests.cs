using System;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>Whatever comes over the wire: no exception, no memory, no number that is not finite.</summary>
    [TestFixture]
    public class MutationTests
    {
        private const int Packets = 40000;
        private readonly Random _random = new Random(20240607);

        private byte[] Mutated(byte[] seed)
        {
            int kind = _random.Next(5);
            int length = kind == 0 ? _random.Next(seed.Length + 1) : seed.Length;
            byte[] data = new byte[length + (kind == 1 ? _random.Next(64) : 0)];
            Buffer.BlockCopy(seed, 0, data, 0, length);
            int changes = 1 + _random.Next(8);
            for (int i = 0; i < changes && data.Length > 0; i++)
            {
                data[_random.Next(data.Length)] = (byte)(_random.Next(3) == 0 ? 0xFF : _random.Next(256));
            }
            if (_random.Next(2) == 0 && data.Length >= 8)
            {
                Little.Put32(data, 4, (uint)data.Length); // a length that fits lets the rest be looked at
            }
            return data;
        }

        [Test]
        public void StreamMessages()
        {
            byte[][] seeds =
            {
                Convert.FromBase64String(GoldenMessages.FrameUnity), Convert.FromBase64String(GoldenMessages.FramePacked),
                Convert.FromBase64String(GoldenMessages.FrameRecorded), Convert.FromBase64String(GoldenMessages.HelloUnity),
                Convert.FromBase64String(GoldenMessages.Event),
            };
            FrameDecoder decoder = new FrameDecoder();
            PoseFrame frame = new PoseFrame();
            MessageScan scan = new MessageScan();
            PictureMessage picture = new PictureMessage();
            int accepted = 0;
            long before = GC.GetTotalMemory(true);
            for (int i = 0; i < Packets; i++)
            {
                byte[] data = Mutated(seeds[i % seeds.Length]);
                WireError error;
                ClockReplyMessage reply;
                if (decoder.Decode(data, 0, data.Length, frame) == WireError.None)
                {
                    accepted++;
                    CheckFinite(frame);
                }
                HelloMessage.Decode(data, 0, data.Length, out error);
                EventMessage.Decode(data, 0, data.Length, out error);
                ReplyMessage.Decode(data, 0, data.Length, out error);
                ClockReplyMessage.Decode(scan, data, 0, data.Length, out reply);
                picture.Decode(scan, data, 0, data.Length);
            }
            Assert.Less(GC.GetTotalMemory(true) - before, 4 << 20, "memory grows");
            GC.KeepAlive(frame);
            GC.KeepAlive(picture);
            Assert.Greater(accepted, 100, "too few mutations get past the first checks");
            Assert.Less(accepted, Packets);
        }

        private static void CheckFinite(PoseFrame frame)
        {
            for (int i = 0; i < frame.Count; i++)
            {
                Assert.IsTrue(frame[i].RootPosition.IsFinite);
                Assert.AreEqual(1f, Quat.Dot(frame[i].RootRotation, frame[i].RootRotation), 1e-3f);
                for (int bone = 0; bone < Bones.Count; bone++)
                {
                    Quat q = frame[i].Rotations[bone];
                    Assert.AreEqual(1f, Quat.Dot(q, q), 1e-3f);
                }
            }
        }

        [Test]
        public void WebSocketFrames()
        {
            byte[] golden = Convert.FromBase64String(GoldenMessages.FrameUnity);
            byte[] seed = new byte[golden.Length + 4 + 6];
            seed[0] = 0x89;
            seed[1] = 4;
            seed[6] = 0x82;
            seed[7] = 126;
            seed[8] = (byte)(golden.Length >> 8);
            seed[9] = (byte)golden.Length;
            Buffer.BlockCopy(golden, 0, seed, 10, golden.Length);
            int messages = 0;
            for (int i = 0; i < Packets; i++)
            {
                byte[] data = (byte[])seed.Clone();
                data[_random.Next(12)] = (byte)_random.Next(256);
                WebSocketParser parser = new WebSocketParser(1 << 20);
                int at = 0;
                WebSocketEvent found;
                do
                {
                    int end = Math.Min(data.Length, at + 1 + _random.Next(600));
                    found = parser.Feed(data, ref at, end);
                    messages += found == WebSocketEvent.Message ? 1 : 0;
                }
                while (at < data.Length && found != WebSocketEvent.Broken);
            }
            Assert.Greater(messages, Packets / 4);
        }

        [Test]
        public void VmcDatagrams()
        {
            byte[] seed = VmcBytes.Frame(1.5f, true);
            VmcDecoder decoder = new VmcDecoder();
            PersonPose person = new PersonPose();
            for (int i = 0; i < Packets; i++)
            {
                byte[] data = Mutated(seed);
                decoder.Begin(data, data.Length);
                int frames = 0;
                while (decoder.Next())
                {
                    decoder.Take(person);
                    Assert.Less(frames++, 1000);
                    Assert.IsTrue(person.RootPosition.IsFinite);
                }
            }
            Assert.LessOrEqual(decoder.ExpressionNames.Count, Protocol.MaxExpressions);
        }

        [Test]
        public void Recordings()
        {
            byte[] seed = RecordingTests.Sample(5);
            for (int i = 0; i < 4000; i++)
            {
                byte[] data = (byte[])seed.Clone();
                for (int k = 0; k < 3; k++)
                {
                    data[_random.Next(data.Length)] = (byte)_random.Next(256);
                }
                try
                {
                    using (RecordingReader reader = new RecordingReader(new System.IO.MemoryStream(data)))
                    {
                        while (reader.Read())
                        {
                            Assert.LessOrEqual(reader.Count, seed.Length);
                        }
                    }
                }
                catch (System.IO.InvalidDataException)
                {
                    // the one exception that it may throw
                }
            }
        }
    }
}
