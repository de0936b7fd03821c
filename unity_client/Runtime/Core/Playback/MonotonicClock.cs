using System.Diagnostics;

namespace Posestream
{
    /// <summary>This machine's monotonic clock.</summary>
    public static class MonotonicClock
    {
        private static readonly double NsPerTick = 1e9 / Stopwatch.Frequency;

        public static long NowNs => (long)(Stopwatch.GetTimestamp() * NsPerTick);
    }
}
