using System;

namespace Posestream
{
    public enum PlaybackMode
    {
        /// <summary>Waits for the next frame and moves between them: smooth, one frame later.</summary>
        Smooth,

        /// <summary>Predicts up to the next frame: earlier, less exact.</summary>
        LowLatency,

        /// <summary>Shows the newest frame as it comes.</summary>
        Newest,
    }

    /// <summary>How frames are played.</summary>
    [Serializable]
    public sealed class PlaybackSettings
    {
        public PlaybackMode Mode = PlaybackMode.Smooth;

        /// <summary>Least and most time that frames are held back for late ones, ms.</summary>
        public float MinDelayMs = 0f;

        public float MaxDelayMs = 250f;

        /// <summary>The fraction of frames that shall arrive in time.</summary>
        public float OnTime = 0.97f;

        /// <summary>How long motion is continued when frames are missing, ms.</summary>
        public float ConcealMs = 100f;

        /// <summary>Fastest rotation while catching up after a gap, degrees per second.</summary>
        public float CatchUpDegPerS = 720f;

        /// <summary>Fastest travel while catching up, metres per second.</summary>
        public float CatchUpMPerS = 4f;
    }
}
