using System;

namespace Posestream
{
    public enum FeedState
    {
        Stopped, Connecting, Connected, Waiting,
    }

    /// <summary>How well a feed comes in; reused.</summary>
    public sealed class FeedFigures
    {
        public long Received;

        /// <summary>Frames left out or lost on the way.</summary>
        public long Missing;

        /// <summary>The fraction of shown poses for which no frame was there in time.</summary>
        public float Concealed;

        /// <summary>From the light falling in to the pose being handed to avatars; NaN = not known.</summary>
        public float LatencyMs = float.NaN;

        public float LatencyP95Ms = float.NaN;

        /// <summary>How much later than the quickest frames come.</summary>
        public float JitterP50Ms;

        public float JitterP95Ms;

        /// <summary>How long frames are held back.</summary>
        public float BufferMs;

        public float FramesPerSecond;

        public float RoundTripMs = float.NaN;

        public long BadMessages;

        public float LossPercent => Received + Missing > 0 ? 100f * Missing / (Received + Missing) : 0f;
    }

    /// <summary>Where people come from.</summary>
    public interface IPoseFeed : IDisposable
    {
        FeedState State { get; }

        /// <summary>A sentence for users: what is wrong and what to do, or what is going on.</summary>
        string Status { get; }

        /// <summary>What the daemon said of itself, null if nothing yet.</summary>
        HelloMessage Hello { get; }

        void Start();

        /// <summary>Ends threads and sockets; returns within half a second.</summary>
        void Stop();

        /// <summary>Everybody at the moment to show now; false if there is nothing to show.</summary>
        bool Sample(long nowNs, PoseFrame into);

        void Measure(FeedFigures figures);
    }
}
