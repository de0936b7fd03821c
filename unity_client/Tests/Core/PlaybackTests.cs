using System;
using System.Collections.Generic;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>A known motion through networks of several kinds.</summary>
    [TestFixture]
    public class PlaybackTests
    {
        private const long Ms = 1000000;
        private const long ClockOffset = 123456789012;

        /// <summary>Radians that the head has turned at a capture time.</summary>
        private static double Truth(double captureNs) => Math.Sin(captureNs * 1e-9 * 2.0);

        private static void Fill(PoseFrame frame, long captureNs, long sequence, int people)
        {
            frame.SetCount(people);
            frame.CaptureNs = captureNs;
            frame.Sequence = sequence;
            for (int i = 0; i < people; i++)
            {
                frame[i].Clear();
                frame[i].TrackId = frame[i].Slot = i;
                frame[i].BoneValid = ulong.MaxValue >> 9;
                for (int bone = 0; bone < Bones.Count; bone++)
                {
                    frame[i].Rotations[bone] = Quat.AngleAxis((float)Truth(captureNs), new Vec3(0f, 1f, 0f));
                }
                frame[i].RootPosition = new Vec3((float)Truth(captureNs), 1f, 0f);
            }
        }

        private sealed class Outcome
        {
            public double ErrorDeg, StallPercent, BackwardPercent, StepJitterDeg, BufferMs, MeanDelayMs, ConcealedPercent;
            public double SteadyErrorDeg; // from the same motion shown at one and the same delay
        }

        /// <summary>30 frames per second for 30 s, shown 60 times per second.</summary>
        private static Outcome Play(PlaybackMode mode, double jitterMs, double loss, double driftPpm)
        {
            Random random = new Random(5);
            PlaybackSettings settings = new PlaybackSettings { Mode = mode };
            JitterBuffer buffer = new JitterBuffer(settings);
            PoseFrame shown = new PoseFrame();
            int frames = 900;
            long[] arrival = new long[frames];
            for (int i = 0; i < frames; i++)
            {
                double transit = 20 + jitterMs * random.NextDouble();
                arrival[i] = random.NextDouble() < loss ? long.MaxValue : (long)(i * 33.3333 * Ms * (1 + driftPpm * 1e-6) + transit * Ms);
            }
            bool[] pushed = new bool[frames];
            double sumError = 0, sumStep = 0, sumDelay = 0, last = double.NaN, lastStep = 0;
            int count = 0, stalls = 0, back = 0;
            Outcome outcome = new Outcome();
            List<double> times = new List<double>(), angles = new List<double>();
            for (long now = 0; now < 30000 * Ms; now += 16666667)
            {
                for (int i = 0; i < frames; i++)
                {
                    if (!pushed[i] && arrival[i] <= now)
                    {
                        pushed[i] = true;
                        Fill(buffer.Spare, ClockOffset + (long)(i * 33.3333 * Ms), i, 1);
                        buffer.Push(arrival[i]);
                    }
                }
                if (!buffer.Sample(now, shown) || now < 5000 * Ms)
                {
                    continue;
                }
                Quat head = shown[0].Rotations[Bones.Head];
                double angle = 2 * Math.Atan2(head.Y, head.W);
                double delayMs = (now / (1 + driftPpm * 1e-6) - (buffer.PlayheadNs - ClockOffset)) / Ms;
                double wanted = Truth(buffer.PlayheadNs);
                sumDelay += delayMs;
                times.Add(now / (1 + driftPpm * 1e-6) + ClockOffset);
                angles.Add(angle);
                sumError += Math.Abs(angle - wanted);
                if (!double.IsNaN(last))
                {
                    double step = angle - last;
                    stalls += Math.Abs(step) < 1e-6 && Math.Abs(Math.Cos(buffer.PlayheadNs * 2e-9)) > 0.3 ? 1 : 0;
                    sumStep += Math.Abs(step - lastStep);
                    back += step * Math.Cos(buffer.PlayheadNs * 2e-9) < -1e-4 && Math.Abs(Math.Cos(buffer.PlayheadNs * 2e-9)) > 0.3 ? 1 : 0;
                    lastStep = step;
                }
                last = angle;
                count++;
            }
            FeedFigures figures = new FeedFigures();
            buffer.Measure(figures);
            outcome.ErrorDeg = sumError / count * 57.29578;
            outcome.StallPercent = 100.0 * stalls / count;
            outcome.BackwardPercent = 100.0 * back / count;
            outcome.StepJitterDeg = sumStep / count * 57.29578;
            outcome.BufferMs = figures.BufferMs;
            outcome.ConcealedPercent = figures.Concealed * 100.0;
            outcome.MeanDelayMs = sumDelay / count;
            for (int i = 0; i < count; i++)
            {
                outcome.SteadyErrorDeg += Math.Abs(angles[i] - Truth(times[i] - outcome.MeanDelayMs * Ms)) * 57.29578 / count;
            }
            return outcome;
        }

        [Test]
        public void AJitteryNetworkPlaysSteadily()
        {
            Console.WriteLine("jitter  loss  mode        delay ms  error deg  change of speed deg  stalls %  backwards %  concealed %");
            foreach (double[] network in new[] { new[] { 0.0, 0.0 }, new[] { 20.0, 0.01 }, new[] { 80.0, 0.05 } })
            {
                Outcome steady = Play(PlaybackMode.Smooth, network[0], network[1], 0);
                Outcome quick = Play(PlaybackMode.LowLatency, network[0], network[1], 0);
                Outcome raw = Play(PlaybackMode.Newest, network[0], network[1], 0);
                Row(network, "smooth", steady);
                Row(network, "low latency", quick);
                Row(network, "no buffer", raw);
                Assert.Less(steady.ErrorDeg, 0.5);
                Assert.AreEqual(0.0, steady.StallPercent, 0.5);
                Assert.Less(steady.StepJitterDeg, raw.StepJitterDeg * 0.25);
                Assert.Less(steady.StallPercent, raw.StallPercent);
                Assert.Less(steady.SteadyErrorDeg, raw.SteadyErrorDeg * 0.5);
                Assert.Less(steady.BufferMs, network[0] + 40);
            }
        }

        private static void Row(double[] network, string mode, Outcome o) => Console.WriteLine(
            "{0,3:0} ms  {1,2:0} %  {2,-11} {3,8:0.0}  {4,9:0.00}  {5,19:0.000}  {6,8:0.0}  {7,10:0.0}  {8,11:0.0}",
            network[0], network[1] * 100, mode, o.MeanDelayMs, o.SteadyErrorDeg, o.StepJitterDeg, o.StallPercent, o.BackwardPercent, o.ConcealedPercent);

        [Test]
        public void ADriftingClockIsFollowed()
        {
            foreach (double ppm in new[] { -2000.0, 2000.0 })
            {
                Outcome drifting = Play(PlaybackMode.Smooth, 5, 0, ppm);
                Assert.Less(drifting.ErrorDeg, 0.5);
                Assert.Less(drifting.StallPercent, 1.0);
                Assert.Less(drifting.MeanDelayMs, 140);
                Assert.Greater(drifting.MeanDelayMs, 20);
            }
        }

        [Test]
        public void BetweenTwoFramesPeopleAreBetween()
        {
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            PoseFrame shown = new PoseFrame();
            for (int i = 0; i < 30; i++)
            {
                Fill(buffer.Spare, i * 40 * Ms, i, 2);
                buffer.Push(i * 40 * Ms + 10 * Ms);
                buffer.Sample(i * 40 * Ms + 10 * Ms, shown);
            }
            for (int i = 0; i < 4; i++)
            {
                buffer.Sample(29 * 40 * Ms + (12 + 5 * i) * Ms, shown);
                Quat head = shown[1].Rotations[Bones.Head];
                Assert.AreEqual(Truth(buffer.PlayheadNs), 2 * Math.Atan2(head.Y, head.W), 0.003);
            }
            Assert.AreEqual(0, buffer.Missing);
        }

        [Test]
        public void AfterAGapItCatchesUpNoFasterThanAllowed()
        {
            PlaybackSettings settings = new PlaybackSettings { CatchUpDegPerS = 180f, CatchUpMPerS = 1f };
            JitterBuffer buffer = new JitterBuffer(settings);
            PoseFrame shown = new PoseFrame();
            long now = 0;
            double last = 0, most = 0, lastX = 0, mostX = 0;
            for (int tick = 0; tick < 360; tick++, now += 16666667)
            {
                double t = now * 1e-9;
                bool gap = t > 2.0 && t < 3.0;
                if (tick % 2 == 0 && !gap)
                {
                    PoseFrame frame = buffer.Spare;
                    Fill(frame, now, tick / 2, 1);
                    // after the gap the person stands elsewhere and has turned round
                    float angle = t < 2.5 ? 0f : 2.5f;
                    for (int bone = 0; bone < Bones.Count; bone++)
                    {
                        frame[0].Rotations[bone] = Quat.AngleAxis(angle, new Vec3(0f, 1f, 0f));
                    }
                    frame[0].RootPosition = new Vec3(t < 2.5 ? 0f : 1.5f, 1f, 0f);
                    buffer.Push(now + 5 * Ms);
                }
                buffer.Sample(now, shown);
                if (tick > 5)
                {
                    double angle = Quat.Angle(Quat.Identity, shown[0].Rotations[Bones.Head]);
                    most = Math.Max(most, Math.Abs(angle - last));
                    mostX = Math.Max(mostX, Math.Abs(shown[0].RootPosition.X - lastX));
                    last = angle;
                    lastX = shown[0].RootPosition.X;
                }
            }
            Assert.LessOrEqual(most * 57.29578 * 60, 185.0);
            Assert.LessOrEqual(mostX * 60, 1.05);
            Assert.AreEqual(2.5, last, 1e-3);
            Assert.AreEqual(1.5, lastX, 1e-3);
        }

        [Test]
        public void MissingFramesAreContinuedAndThenHeld()
        {
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            PoseFrame shown = new PoseFrame();
            long now = 0;
            for (int i = 0; i < 60; i++, now += 33333333)
            {
                Fill(buffer.Spare, now, i, 1);
                buffer.Push(now);
                buffer.Sample(now, shown);
            }
            double before = 2 * Math.Atan2(shown[0].Rotations[Bones.Head].Y, shown[0].Rotations[Bones.Head].W);
            double[] angles = new double[60];
            for (int i = 0; i < angles.Length; i++, now += 16666667)
            {
                buffer.Sample(now, shown);
                angles[i] = 2 * Math.Atan2(shown[0].Rotations[Bones.Head].Y, shown[0].Rotations[Bones.Head].W);
            }
            Assert.AreNotEqual(before, angles[6]);
            Assert.AreEqual(angles[50], angles[59], 1e-3, "it stands still in the end");
            Assert.Less(Math.Abs(angles[59] - before), 0.6);
            FeedFigures figures = new FeedFigures();
            buffer.Measure(figures);
            Assert.Greater(figures.Concealed, 0.2f);
        }

        [Test]
        public void PeopleComeAndGoWithTheirFrames()
        {
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            PoseFrame shown = new PoseFrame();
            for (int i = 0; i < 60; i++)
            {
                long now = i * 33333333L;
                Fill(buffer.Spare, now, i, i < 20 ? 1 : i < 40 ? 3 : 0);
                buffer.Push(now);
                buffer.Sample(now, shown);
                if (i == 30)
                {
                    Assert.AreEqual(3, shown.Count);
                }
            }
            Assert.AreEqual(0, shown.Count);
        }

        [Test]
        public void ARestartedDaemonIsFollowed()
        {
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            PoseFrame shown = new PoseFrame();
            long now = 0;
            for (int i = 0; i < 90; i++, now += 33333333)
            {
                long capture = i < 45 ? ClockOffset + now : now - 1400000000;
                Fill(buffer.Spare, capture, i < 45 ? i : i - 45, 1);
                buffer.Push(now);
                Assert.IsTrue(buffer.Sample(now, shown));
            }
            Assert.Less(Math.Abs(buffer.PlayheadNs - (now - 1400000000)), 200 * Ms);
        }

        [Test]
        public void LateFramesAreSortedInAndMissingOnesCounted()
        {
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            foreach (int i in new[] { 0, 1, 3, 2, 6, 6 })
            {
                Fill(buffer.Spare, i * 33333333L, i, 1);
                buffer.Push(i * 33333333L + Ms);
            }
            Assert.AreEqual(2, buffer.Missing);
            Assert.AreEqual(6, buffer.Received);
            PoseFrame shown = new PoseFrame();
            Assert.IsTrue(buffer.SampleExactly(2 * 33333333L, shown));
            Assert.AreEqual(2, shown.Sequence);
            Assert.IsFalse(buffer.SampleExactly(5 * 33333333L, shown));
        }

        [Test]
        public void Allocates0Bytes()
        {
            byte[] data = Convert.FromBase64String(GoldenMessages.FrameUnity);
            FrameDecoder decoder = new FrameDecoder();
            JitterBuffer buffer = new JitterBuffer(new PlaybackSettings());
            PoseFrame shown = new PoseFrame();
            FeedFigures figures = new FeedFigures();
            long n = 0;
            Assert.AreEqual(0, Allocations.Of(2000, () =>
            {
                n++;
                Little.Put64(data, 16 + FrameLayout.FrameSequenceAt, n);
                Little.Put64(data, 16 + FrameLayout.FrameTCaptureNsAt, n * 33333333);
                decoder.Decode(data, 0, data.Length, buffer.Spare);
                buffer.Push(n * 33333333 + n % 7 * Ms);
                buffer.Sample(n * 33333333 + 8 * Ms, shown);
                buffer.Sample(n * 33333333 + 24 * Ms, shown);
                buffer.Measure(figures);
            }));
        }

        [Test]
        public void TheClockOfTheQuickestExchangeIsBelieved()
        {
            ClockSync clock = new ClockSync();
            const long Offset = 987654321;
            Random random = new Random(3);
            for (int i = 0; i < 16; i++)
            {
                long sent = i * 500 * Ms;
                long there = (1 + random.Next(20)) * Ms;
                long back = (1 + random.Next(20)) * Ms;
                if (i == 9)
                {
                    there = back = Ms / 5;
                }
                clock.Add(
                    new ClockReplyMessage { ClientNs = sent, ServerReceivedNs = sent + there + Offset, ServerSentNs = sent + there + Offset + Ms },
                    sent + there + back + Ms);
            }
            Assert.AreEqual(Offset, clock.OffsetNs, 1000);
            Assert.AreEqual(400000, clock.RoundTripNs);
            Assert.IsFalse(clock.Add(new ClockReplyMessage { ClientNs = 500 }, 100));
        }

        [Test]
        public void QuantilesAreThoseOfASortedList()
        {
            Random random = new Random(8);
            for (int round = 0; round < 200; round++)
            {
                int n = 1 + random.Next(60);
                SlidingWindow window = new SlidingWindow(40);
                double[] all = new double[n];
                for (int i = 0; i < n; i++)
                {
                    all[i] = random.Next(10);
                    window.Add(all[i]);
                }
                double[] last = new double[Math.Min(40, n)];
                Array.Copy(all, n - last.Length, last, 0, last.Length);
                Array.Sort(last);
                foreach (double q in new[] { 0.0, 0.5, 0.97, 1.0 })
                {
                    Assert.AreEqual(last[(int)Math.Round(q * (last.Length - 1))], window.Quantile(q));
                }
                Assert.AreEqual(last[0], window.Min());
            }
        }
    }
}
