using System;

namespace Posestream
{
    /// <summary>How to reach a daemon and what to ask of it.</summary>
    [Serializable]
    public sealed class StreamSettings
    {
        public string Address = StreamAddress.Default;

        /// <summary>Needed for pictures and control, and for a daemon on another machine; empty: the user's own file.</summary>
        public string Token = "";

        /// <summary>6 bytes a bone instead of 16, right within 0.01 degrees.</summary>
        public bool Packed;

        public bool Positions;

        public bool Picture;

        /// <summary>Most frames per second, 0 = all.</summary>
        public float RateHz;

        /// <summary>Silence after which a daemon counts as frozen, ms.</summary>
        public int SilenceMs = 2000;

        public int ConnectMs = 2000;
    }
}
