using System;

namespace Posestream
{
    /// <summary>
    /// Which capture time to show at a given moment: a steady distance behind the arrivals, wide enough for late
    /// frames. Only differences of arrival and capture enter, so both clocks may have any origin and may drift.
    /// </summary>
    public sealed class PlayClock
    {
        private const double MarginNs = 1e6;
        private const double JumpNs = 400e6;
        private const double CatchUpNs = 500e6;
        private const double MostCatchUp = 0.2;

        // falling back is urgent: until it is done, frames come too late
        private const double FallBackNs = 120e6;
        private const double MostFallBack = 0.4;
        private readonly PlaybackSettings _settings;
        private readonly SlidingWindow _transit = new SlidingWindow(128);
        private readonly SlidingWindow _interval = new SlidingWindow(31);
        private double _playhead;
        private long _lastNow;
        private bool _running;

        public PlayClock(PlaybackSettings settings)
        {
            _settings = settings;
        }

        /// <summary>From one frame to the next, ns.</summary>
        public double IntervalNs { get; private set; }

        /// <summary>From capture to show, in mixed clocks: only its changes mean anything.</summary>
        public double DelayNs { get; private set; }

        /// <summary>How much longer than the quickest frame is waited, ns.</summary>
        public double WaitNs { get; private set; }

        /// <summary>Arrival later than the quickest of the last frames, ns.</summary>
        public double JitterNs(double quantile) => _transit.Count > 0 ? _transit.Quantile(quantile) - _transit.Min() : 0;

        public void Reset()
        {
            _transit.Clear();
            _interval.Clear();
            _running = false;
            DelayNs = WaitNs = IntervalNs = 0;
        }

        /// <summary>A frame has come; sinceLastNs: its capture after the last one's, 0 = first.</summary>
        public void Arrived(long receivedNs, long captureNs, long sinceLastNs)
        {
            _transit.Add((double)(receivedNs - captureNs));
            if (sinceLastNs > 0)
            {
                _interval.Add(sinceLastNs);
                IntervalNs = _interval.Quantile(0.5);
            }
            double quickest = _transit.Min();
            double late = _transit.Quantile(_settings.OnTime) - quickest;
            double next = _settings.Mode == PlaybackMode.Smooth ? IntervalNs : 0;
            WaitNs = Numeric.Clamp(late + MarginNs, _settings.MinDelayMs * 1e6, _settings.MaxDelayMs * 1e6) + next;
            DelayNs = quickest + WaitNs;
        }

        /// <summary>The capture time to show now; jumped: it did not get there steadily.</summary>
        public double Advance(long nowNs, out bool jumped)
        {
            double goal = nowNs - DelayNs;
            if (!_running)
            {
                _running = true;
                _lastNow = nowNs;
                _playhead = goal;
                jumped = true;
                return _playhead;
            }
            double passed = Math.Max(0, nowNs - _lastNow);
            _lastNow = nowNs;
            double error = goal - (_playhead + passed);
            jumped = error > JumpNs || error < -JumpNs;
            if (jumped)
            {
                // never back in time: what has been seen stays seen
                _playhead = Math.Max(goal, _playhead);
                return _playhead;
            }
            double correction = error > 0 ? Math.Min(error / CatchUpNs, MostCatchUp) : Math.Max(error / FallBackNs, -MostFallBack);
            _playhead += passed * (1.0 + correction);
            return _playhead;
        }
    }
}
