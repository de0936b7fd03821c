using System;
using NUnit.Framework;

namespace Posestream.Tests
{
    [TestFixture]
    public class RigTests
    {
        private static readonly Random Chance = new Random(11);

        private static Quat AnyTurn(float most)
        {
            Vec3 axis = new Vec3((float)Chance.NextDouble() - 0.5f, (float)Chance.NextDouble() - 0.5f, (float)Chance.NextDouble() - 0.5f);
            return Quat.AngleAxis(most * (float)Chance.NextDouble(), axis);
        }

        [Test]
        public void OnOurOwnSkeletonRotationsAreTakenAsTheyAre()
        {
            RigSolver solver = new RigSolver(RestRig.Own());
            Quat[] pose = new Quat[Bones.Count];
            Quat[] local = new Quat[Bones.Count];
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                pose[bone] = AnyTurn(3f);
            }
            solver.Solve(pose, local);
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                Assert.AreEqual(0f, Quat.Angle(pose[bone], local[bone]), 1e-3f);
            }
            Assert.AreEqual(0.92f, solver.HipHeight, 1e-5f);
        }

        /// <summary>World turns of all bones are those of our own skeleton whatever axes an avatar's bones have.</summary>
        [Test]
        public void ArbitraryRestAxesEndInTheSameWorldPose()
        {
            RestRig rig = RestRig.Own();
            foreach (int bone in Bones.Order)
            {
                int parent = Bones.Parent[bone];
                rig.Rotation[bone] = AnyTurn(3f);
                rig.AboveRotation[bone] = parent < 0 ? AnyTurn(3f) : rig.Rotation[parent];
            }
            RigSolver solver = new RigSolver(rig);
            Quat[] pose = new Quat[Bones.Count];
            Quat[] local = new Quat[Bones.Count];
            Quat[] world = new Quat[Bones.Count];
            Quat[] wanted = new Quat[Bones.Count];
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                pose[bone] = AnyTurn(2f);
            }
            solver.Solve(pose, local);
            foreach (int bone in Bones.Order)
            {
                int parent = Bones.Parent[bone];
                wanted[bone] = parent < 0 ? pose[bone] : wanted[parent] * pose[bone];
                world[bone] = (parent < 0 ? rig.AboveRotation[bone] : world[parent]) * local[bone];
                Quat turned = world[bone] * rig.Rotation[bone].Inverse;
                Assert.AreEqual(0f, Quat.Angle(wanted[bone], turned), 2e-3f, Bones.Names[bone]);
            }
        }

        [Test]
        public void MissingBonesHandTheirTurnOn()
        {
            RestRig rig = RestRig.Own();
            foreach (int bone in new[] { Bones.UpperChest, Bones.Chest, Bones.LeftShoulder, Bones.LeftToes })
            {
                rig.Present[bone] = false;
            }
            Quat[] pose = new Quat[Bones.Count];
            Quat[] local = new Quat[Bones.Count];
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                pose[bone] = AnyTurn(1f);
            }
            new RigSolver(rig).Solve(pose, local);
            Quat spine = pose[Bones.Spine] * pose[Bones.Chest] * pose[Bones.UpperChest];
            Assert.AreEqual(0f, Quat.Angle(spine, local[Bones.Spine]), 1e-3f);
            Assert.AreEqual(0f, Quat.Angle(pose[Bones.LeftShoulder] * pose[Bones.LeftUpperArm], local[Bones.LeftUpperArm]), 1e-3f);
            Assert.AreEqual(0f, Quat.Angle(pose[Bones.RightUpperArm], local[Bones.RightUpperArm]), 1e-3f);
        }

        [Test]
        public void AMirroredPoseMirroredAgainIsItself()
        {
            PersonPose pose = new PersonPose();
            PersonPose once = new PersonPose();
            PersonPose twice = new PersonPose();
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                pose.Rotations[bone] = AnyTurn(1f);
            }
            pose.BoneValid = 1UL << Bones.LeftHand | 1UL << Bones.Head;
            pose.RootPosition = new Vec3(1f, 2f, 3f);
            PoseShaper.Mirror(pose, once);
            Assert.AreEqual(pose.Rotations[Bones.LeftHand].Reflected, once.Rotations[Bones.RightHand]);
            Assert.IsTrue(once.IsValid(Bones.RightHand));
            Assert.IsFalse(once.IsValid(Bones.LeftHand));
            Assert.AreEqual(-1f, once.RootPosition.X);
            PoseShaper.Mirror(once, twice);
            CollectionAssert.AreEqual(pose.Rotations, twice.Rotations);
            Assert.AreEqual(pose.BoneValid, twice.BoneValid);
        }

        [Test]
        public void SeatedPeopleTurnInTheBack()
        {
            PersonPose pose = new PersonPose { BoneValid = ulong.MaxValue };
            pose.RootRotation = pose.Rotations[Bones.Hips] = Quat.AngleAxis(0.5f, new Vec3(0f, 1f, 0f));
            pose.Rotations[Bones.Spine] = Quat.AngleAxis(0.25f, new Vec3(0f, 1f, 0f));
            PoseShaper.Seat(pose);
            Assert.AreEqual(Quat.Identity, pose.RootRotation);
            Assert.AreEqual(0.75f, Quat.Angle(Quat.Identity, pose.Rotations[Bones.Spine]), 1e-4f);
            Assert.IsFalse(pose.IsValid(Bones.LeftUpperLeg));
            Assert.IsTrue(pose.IsValid(Bones.LeftHand));
        }

        [Test]
        public void SmoothingIsTheSameAtAnyFrameRate()
        {
            float[] ends = new float[2];
            int k = 0;
            foreach (float seconds in new[] { 1f / 30f, 1f / 120f })
            {
                PoseShaper shaper = new PoseShaper();
                PersonPose from = new PersonPose { TrackId = 3 };
                PersonPose into = new PersonPose();
                shaper.Shape(from, into, false, false, 0.2f, seconds);
                from.RootPosition = new Vec3(1f, 0f, 0f);
                for (float t = 0f; t < 0.2f - 1e-4f; t += seconds)
                {
                    shaper.Shape(from, into, false, false, 0.2f, seconds);
                }
                ends[k++] = into.RootPosition.X;
            }
            Assert.AreEqual(1.0 - Math.Exp(-1.0), ends[0], 1e-3);
            Assert.AreEqual(ends[0], ends[1], 1e-3);
        }

        [TestCase(RootMode.None, 0f, 1f, 0f)]
        [TestCase(RootMode.InPlace, 0f, 1.6f, 0f)]
        [TestCase(RootMode.Scaled, 4f, 1.6f, 6f)]
        [TestCase(RootMode.Metric, 2f, 0.8f, 3f)]
        public void Travel(RootMode mode, float x, float y, float z)
        {
            PersonPose person = new PersonPose { HipHeight = 0.5f, RootPosition = new Vec3(2f, 0.8f, 3f) };
            Vec3 hips = RootMotion.Hips(person, mode, new Vec3(0f, 1f, 0f), 1f);
            Assert.AreEqual(new Vec3(x, y, z), hips);
        }

        [Test]
        public void EveryBoneIsInExactlyOneGroup()
        {
            ulong all = 0;
            int sum = 0;
            for (int i = 0; i < 8; i++)
            {
                ulong mask = BoneMasks.Of((BoneGroups)(1 << i));
                Assert.AreEqual(0UL, all & mask);
                all |= mask;
                for (int bone = 0; bone < Bones.Count; bone++)
                {
                    sum += (mask >> bone & 1) != 0 ? 1 : 0;
                }
            }
            Assert.AreEqual(Bones.Count, sum);
            Assert.AreEqual(30, Bits(BoneMasks.Of(BoneGroups.Fingers)));
            Assert.AreEqual(8, Bits(BoneMasks.Of(BoneGroups.Legs)));
        }

        private static int Bits(ulong mask)
        {
            int bits = 0;
            for (; mask != 0; mask &= mask - 1)
            {
                bits++;
            }
            return bits;
        }

        [Test]
        public void ALegReachesItsTargetWithoutChangingLength()
        {
            Vec3 hip = new Vec3(0.1f, 0.9f, 0f);
            Vec3 knee = new Vec3(0.1f, 0.5f, 0.05f);
            Vec3 ankle = new Vec3(0.1f, 0.1f, 0f);
            for (int i = 0; i < 300; i++)
            {
                Vec3 target = ankle + new Vec3((float)Chance.NextDouble() * 0.3f, (float)Chance.NextDouble() * 0.4f - 0.1f, (float)Chance.NextDouble() * 0.3f);
                Quat upper, lower;
                TwoBoneIk.Solve(hip, knee, ankle, target, new Vec3(0f, 0f, 1f), out upper, out lower);
                Vec3 newKnee = hip + upper * (knee - hip);
                Vec3 newAnkle = newKnee + lower * (ankle - knee);
                float reach = (knee - hip).Length + (ankle - knee).Length;
                float error = (newAnkle - target).Length;
                if ((target - hip).Length < reach * 0.999f)
                {
                    Assert.Less(error, 1e-3f);
                }
                else
                {
                    Assert.Less(error, (target - hip).Length - reach * 0.999f + 0.01f);
                }
                Vec3 middle = hip + (newAnkle - hip) * 0.5f;
                Assert.Greater((newKnee - middle).Z, -1e-3f, "the knee bends forwards");
            }
        }

        [Test]
        public void AStraightLegBendsForwards()
        {
            Vec3 hip = new Vec3(0f, 0.9f, 0f);
            Vec3 knee = new Vec3(0f, 0.5f, 0f);
            Vec3 ankle = new Vec3(0f, 0.1f, 0f);
            Quat upper, lower;
            TwoBoneIk.Solve(hip, knee, ankle, new Vec3(0f, 0.3f, 0f), new Vec3(0f, 0f, 1f), out upper, out lower);
            Vec3 newKnee = hip + upper * (knee - hip);
            Assert.Greater(newKnee.Z, 0.1f);
            Assert.Less((newKnee + lower * (ankle - knee) - new Vec3(0f, 0.3f, 0f)).Length, 1e-3f);
        }

        [Test]
        public void APointIsSeenWhereTheRealCameraSawIt()
        {
            double[] k = { 520, 1.5, 330.2, 0, 510, 250.7, 0, 0, 1 };
            double[] m = new double[16];
            CameraMatch.Projection(k, 640, 480, 0.05, 100, m);
            for (int i = 0; i < 50; i++)
            {
                double x = Chance.NextDouble() * 2 - 1, up = Chance.NextDouble() * 2 - 1, depth = 1 + 5 * Chance.NextDouble();
                double u = (k[0] * x - k[1] * up) / depth + k[2];
                double v = -k[4] * up / depth + k[5];
                double[] clip = new double[4];
                double[] view = { x, up, -depth, 1 };
                for (int row = 0; row < 4; row++)
                {
                    for (int column = 0; column < 4; column++)
                    {
                        clip[row] += m[4 * row + column] * view[column];
                    }
                }
                // clip space runs from -1 at the picture's edge, half a pixel beyond the first pixel's centre
                Assert.AreEqual(u, (clip[0] / clip[3] + 1) / 2 * 640 - 0.5, 1e-6);
                Assert.AreEqual(v, (1 - clip[1] / clip[3]) / 2 * 480 - 0.5, 1e-6);
                Assert.That(clip[2] / clip[3], Is.InRange(-1.0, 1.0));
            }
        }

        [Test]
        public void TheTestWaveNeedsNothing()
        {
            PoseFrame frame = new PoseFrame();
            using (TestWaveFeed feed = new TestWaveFeed(3))
            {
                feed.Start();
                Assert.IsTrue(feed.Sample(1000000000, frame));
                Assert.AreEqual(3, frame.Count);
                Quat first = frame[0].Rotations[Bones.RightLowerArm];
                feed.Sample(1200000000, frame);
                Assert.Greater(Quat.Angle(first, frame[0].Rotations[Bones.RightLowerArm]), 0.05f);
                Assert.AreEqual(0, Allocations.Of(100, () => feed.Sample(5, frame)));
            }
        }
    }
}
