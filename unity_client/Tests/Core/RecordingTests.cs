using System;
using System.IO;
using NUnit.Framework;

namespace Posestream.Tests
{
    [TestFixture]
    public class RecordingTests
    {
        /// <summary>A recording of so many frames, 1/30 s apart.</summary>
        public static byte[] Sample(int frames)
        {
            byte[] hello = Convert.FromBase64String(GoldenMessages.HelloUnity);
            byte[] frame = Convert.FromBase64String(GoldenMessages.FrameUnity);
            MemoryStream stream = new MemoryStream();
            using (RecordingWriter writer = new RecordingWriter(stream, 1234567890L))
            {
                writer.Write(0, hello, 0, hello.Length, false);
                for (int i = 0; i < frames; i++)
                {
                    long time = i * 33333333L;
                    Little.Put64(frame, 16 + FrameLayout.FrameSequenceAt, i);
                    Little.Put64(frame, 16 + FrameLayout.FrameTCaptureNsAt, time);
                    writer.Write(time, frame, 0, frame.Length, true);
                }
                Assert.AreEqual(frames, writer.Frames);
            }
            return stream.ToArray();
        }

        [Test]
        public void TheChecksumIsZlibs() =>
            Assert.AreEqual(0xCBF43926u, Crc32.Of(System.Text.Encoding.ASCII.GetBytes("123456789"), 0, 9, 0));

        [Test]
        public void WhatWasWrittenIsRead()
        {
            using (RecordingReader reader = new RecordingReader(new MemoryStream(Sample(3))))
            {
                Assert.AreEqual(1234567890L, reader.CreatedUtcNs);
                Assert.IsTrue(reader.Read());
                Assert.AreEqual(HelloLayout.Kind, MessageScan.KindOf(reader.Data, 0, reader.Count));
                for (int i = 0; i < 3; i++)
                {
                    Assert.IsTrue(reader.Read());
                    Assert.AreEqual(i * 33333333L, reader.TimeNs);
                }
                Assert.IsFalse(reader.Read());
            }
        }

        [Test]
        public void ACutOffFileLosesOnlyItsTail()
        {
            byte[] whole = Sample(3);
            byte[] cut = new byte[whole.Length - 20 - 8 - 3 * 16 - 16 - 100];
            Buffer.BlockCopy(whole, 0, cut, 0, cut.Length);
            using (RecordingReader reader = new RecordingReader(new MemoryStream(cut)))
            {
                int entries = 0;
                while (reader.Read())
                {
                    entries++;
                }
                Assert.AreEqual(3, entries);
            }
        }

        [Test]
        public void WhatIsNoRecordingIsRefused() =>
            Assert.Throws<InvalidDataException>(() => new RecordingReader(new MemoryStream(new byte[100])).Dispose());

        [Test]
        public void AFileIsPlayedInItsTime()
        {
            string path = Path.GetTempFileName();
            try
            {
                File.WriteAllBytes(path, Sample(30));
                using (RecordingFeed feed = new RecordingFeed(path, false, new PlaybackSettings()))
                {
                    feed.Start();
                    PoseFrame shown = new PoseFrame();
                    for (long now = 0; now <= 700000000; now += 16666667)
                    {
                        feed.Sample(5000 + now, shown);
                    }
                    Assert.AreEqual(1, shown.Count);
                    Assert.IsNotNull(feed.Hello);
                    Assert.AreEqual(19, shown.Sequence, 2);
                    for (long now = 700000000; now <= 3000000000; now += 16666667)
                    {
                        feed.Sample(5000 + now, shown);
                    }
                    Assert.AreEqual(FeedState.Waiting, feed.State);
                }
            }
            finally
            {
                File.Delete(path);
            }
        }

        [Test]
        public void ALoopThatIsTooShortEnds()
        {
            string path = Path.GetTempFileName();
            try
            {
                File.WriteAllBytes(path, Sample(1));
                using (RecordingFeed feed = new RecordingFeed(path, true, new PlaybackSettings()))
                {
                    feed.Start();
                    PoseFrame shown = new PoseFrame();
                    for (int i = 0; i < 10; i++)
                    {
                        Assert.IsTrue(feed.Sample(i * 16666667L, shown));
                    }
                    Assert.AreEqual(FeedState.Connected, feed.State);
                }
            }
            finally
            {
                File.Delete(path);
            }
        }
    }
}
