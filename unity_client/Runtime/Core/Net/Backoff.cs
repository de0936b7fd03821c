using System;

namespace Posestream
{
    /// <summary>How long to wait before the next attempt: 0.25 to 5 s, doubling, never all clients at once.</summary>
    public sealed class Backoff
    {
        private const double FirstS = 0.25;
        private const double MostS = 5.0;
        private readonly Random _random;
        private double _next = FirstS;

        public Backoff(Random random)
        {
            _random = random;
        }

        public void Reset() => _next = FirstS;

        public int NextMs()
        {
            double wait = _next * (0.75 + 0.5 * _random.NextDouble());
            _next = Math.Min(_next * 2.0, MostS);
            return (int)(Math.Min(wait, MostS) * 1000.0);
        }
    }
}
