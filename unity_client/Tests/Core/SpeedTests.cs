using System;
using System.Diagnostics;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>What one person costs per frame; prints figures, asserts only that nothing is allocated.</summary>
    [TestFixture]
    public class SpeedTests
    {
        private const int Batches = 40;
        private const int Times = 100;

        private static void Measure(string what, Action action)
        {
            long bytes = Allocations.Of(Batches * Times, action);
            double best = double.PositiveInfinity; // of many: other programs only ever add time
            for (int batch = 0; batch < Batches; batch++)
            {
                Stopwatch watch = Stopwatch.StartNew();
                for (int i = 0; i < Times; i++)
                {
                    action();
                }
                best = Math.Min(best, watch.Elapsed.TotalMilliseconds * 1000.0 / Times);
            }
            Console.WriteLine("{0,-44} {1,7:0.0} us  {2} bytes", what, best, bytes / (Batches * Times));
            Assert.AreEqual(0, bytes, what);
        }

        [Test]
        public void PerPersonAndFrame()
        {
            byte[] data = Convert.FromBase64String(GoldenMessages.FrameUnity);
            byte[] packed = Convert.FromBase64String(GoldenMessages.FramePacked);
            byte[] vmc = VmcBytes.Frame(1f, true);
            FrameDecoder decoder = new FrameDecoder();
            PoseFrame frame = new PoseFrame();
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            PoseFrame shown = new PoseFrame();
            RigSolver solver = new RigSolver(RestRig.Own());
            Quat[] local = new Quat[Bones.Count];
            VmcDecoder performer = new VmcDecoder();
            PersonPose person = new PersonPose();
            long n = 0;
            Measure("decode float32", () => decoder.Decode(data, 0, data.Length, frame));
            Measure("decode packed", () => decoder.Decode(packed, 0, packed.Length, frame));
            Measure("decode VMC", () =>
            {
                performer.Begin(vmc, vmc.Length);
                while (performer.Next())
                {
                    performer.Take(person);
                }
            });
            Measure("buffer: put in and sample twice", () =>
            {
                n++;
                buffer.Spare.CopyFrom(frame);
                buffer.Spare.CaptureNs = n * 33333333;
                buffer.Push(n * 33333333 + 5000000);
                buffer.Sample(n * 33333333 + 6000000, shown);
                buffer.Sample(n * 33333333 + 22000000, shown);
            });
            Measure("retarget", () => solver.Solve(shown[0].Rotations, local));
        }
    }
}
