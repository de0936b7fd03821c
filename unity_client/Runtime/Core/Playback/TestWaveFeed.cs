using System;

namespace Posestream
{
    /// <summary>People who wave, without daemon and camera: to see that an avatar is set up well.</summary>
    public sealed class TestWaveFeed : IPoseFeed
    {
        private readonly int _people;

        public TestWaveFeed(int people)
        {
            _people = Math.Max(0, Math.Min(people, Protocol.MaxPeople));
        }

        public FeedState State { get; private set; }

        public string Status => State == FeedState.Connected ? "Test wave: no camera is used." : "Stopped.";

        public HelloMessage Hello => null;

        public void Start() => State = FeedState.Connected;

        public void Stop() => State = FeedState.Stopped;

        public void Dispose() => Stop();

        public bool Sample(long nowNs, PoseFrame into)
        {
            into.SetCount(_people);
            into.CaptureNs = into.PublishNs = into.ReceivedNs = nowNs;
            into.Sequence = nowNs / 16666667;
            for (int i = 0; i < _people; i++)
            {
                Pose(into[i], i, nowNs * 1e-9 + 0.37 * i);
            }
            return _people > 0;
        }

        private void Pose(PersonPose person, int slot, double seconds)
        {
            person.Clear();
            person.Slot = slot;
            person.TrackId = slot;
            person.Confidence = 1f;
            person.BoneValid = (1UL << Bones.Count) - 1;
            float sway = (float)Math.Sin(seconds * 1.7);
            float beat = (float)Math.Sin(seconds * 7.0);
            person.RootPosition = new Vec3(slot - 0.5f * (_people - 1) + 0.02f * sway, person.HipHeight, 2.5f);
            person.Rotations[Bones.Spine] = About(0f, 0f, 3f * sway);
            person.Rotations[Bones.Head] = About(4f * sway, 0f, 6f * sway);
            person.Rotations[Bones.LeftUpperArm] = About(0f, 0f, 70f);
            person.Rotations[Bones.RightUpperArm] = About(0f, 0f, 25f);
            person.Rotations[Bones.RightLowerArm] = About(0f, 0f, 65f + 22f * beat);
            person.Rotations[Bones.RightHand] = About(0f, 0f, 12f * beat);
        }

        private static Quat About(float x, float y, float z)
        {
            const float Radian = 0.0174532925f;
            return Quat.AngleAxis(z * Radian, new Vec3(0f, 0f, 1f)) * Quat.AngleAxis(y * Radian, new Vec3(0f, 1f, 0f))
                * Quat.AngleAxis(x * Radian, new Vec3(1f, 0f, 0f));
        }

        public void Measure(FeedFigures figures)
        {
            figures.FramesPerSecond = 60f;
        }
    }
}
