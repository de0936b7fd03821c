namespace Posestream
{
    /// <summary>Brings what is shown back to what comes in after a gap, no faster than a limit.</summary>
    public sealed class CatchUp
    {
        private readonly PlaybackSettings _settings;
        private readonly PoseFrame _shown = new PoseFrame();

        public CatchUp(PlaybackSettings settings)
        {
            _settings = settings;
        }

        /// <summary>Whether what is shown is still on its way.</summary>
        public bool Active { get; private set; }

        public void Begin() => Active = true;

        public void Reset()
        {
            Active = false;
            _shown.SetCount(0);
        }

        /// <summary>Limits the frame that is about to be shown and remembers it.</summary>
        public void Apply(PoseFrame frame, float seconds)
        {
            if (Active)
            {
                bool arrived = true;
                for (int i = 0; i < frame.Count; i++)
                {
                    PersonPose before = _shown.FindTrack(frame[i].TrackId);
                    arrived &= before == null || Limit(before, frame[i], seconds);
                }
                Active = !arrived;
            }
            _shown.CopyFrom(frame);
        }

        private bool Limit(PersonPose before, PersonPose person, float seconds)
        {
            float angle = _settings.CatchUpDegPerS * seconds * 0.0174532925f;
            bool arrived = true;
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                arrived &= LimitTurn(before.Rotations[bone], ref person.Rotations[bone], angle);
            }
            arrived &= LimitTurn(before.RootRotation, ref person.RootRotation, angle);
            Vec3 way = person.RootPosition - before.RootPosition;
            float length = way.Length;
            float limit = _settings.CatchUpMPerS * seconds;
            if (length > limit)
            {
                person.RootPosition = before.RootPosition + way * (limit / length);
                return false;
            }
            return arrived;
        }

        private static bool LimitTurn(Quat before, ref Quat now, float limit)
        {
            float angle = Quat.Angle(before, now);
            if (angle <= limit)
            {
                return true;
            }
            now = Quat.Slerp(before, now, limit / angle);
            return false;
        }
    }
}
