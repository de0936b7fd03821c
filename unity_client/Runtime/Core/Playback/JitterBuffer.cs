using System;

namespace Posestream
{
    /// <summary>
    /// Takes frames as they come, gives people as they moved. One thread decodes into <see cref="Spare"/> and calls
    /// <see cref="Push"/>; another samples. Nothing is allocated once the greatest number of people was seen.
    /// </summary>
    public sealed class JitterBuffer
    {
        private const int Capacity = 48;
        private const long RestartNs = 2000000000;
        private readonly object _lock = new object();
        private readonly PlaybackSettings _settings;
        private readonly PlayClock _clock;
        private readonly CatchUp _catchUp;
        private readonly PoseFrame[] _frames = new PoseFrame[Capacity];
        private PoseFrame _spare = new PoseFrame();
        private int _count;
        private long _lastSequence = -1;
        private long _lastSampleNs;
        private bool _starved;

        public JitterBuffer(PlaybackSettings settings)
        {
            _settings = settings;
            _clock = new PlayClock(settings);
            _catchUp = new CatchUp(settings);
        }

        /// <summary>The frame to decode into; belongs to the thread that pushes.</summary>
        public PoseFrame Spare => _spare;

        public long Received { get; private set; }

        /// <summary>Frames that were left out or lost, by their numbers.</summary>
        public long Missing { get; private set; }

        public long Samples { get; private set; }

        /// <summary>Samples for which no frame was there in time.</summary>
        public long Concealed { get; private set; }

        /// <summary>How long shown frames are kept for <see cref="SampleExactly"/>, ns.</summary>
        public long HistoryNs { get; set; }

        /// <summary>The capture time that was shown last, sender's clock, ns.</summary>
        public long PlayheadNs { get; private set; }

        public void Reset()
        {
            lock (_lock)
            {
                Clear();
                _catchUp.Reset();
                Received = Missing = Samples = Concealed = 0;
            }
        }

        /// <summary>A new connection: forgets frames and times, keeps what is shown so that it moves on smoothly.</summary>
        public void Reconnected()
        {
            lock (_lock)
            {
                Clear();
                _catchUp.Begin();
            }
        }

        private void Clear()
        {
            while (_count > 0)
            {
                Recycle(--_count);
            }
            _clock.Reset();
            _lastSequence = -1;
            _starved = false;
        }

        private void Recycle(int index)
        {
            _pool[_pooled++] = _frames[index];
            _frames[index] = null;
        }

        private readonly PoseFrame[] _pool = new PoseFrame[Capacity + 1];
        private int _pooled;

        /// <summary>Puts in the spare frame; there is another spare afterwards.</summary>
        public void Push(long receivedNs)
        {
            lock (_lock)
            {
                PoseFrame frame = _spare;
                frame.ReceivedNs = receivedNs;
                long newest = _count > 0 ? _frames[_count - 1].CaptureNs : frame.CaptureNs;
                if (frame.CaptureNs < newest - RestartNs || frame.CaptureNs > newest + 30 * RestartNs)
                {
                    Clear();
                    _catchUp.Begin();
                    newest = frame.CaptureNs;
                }
                Received++;
                CountMissing(frame.Sequence);
                _clock.Arrived(receivedNs, frame.CaptureNs, Math.Max(0, frame.CaptureNs - newest));
                Insert(frame);
                _spare = _pooled > 0 ? _pool[--_pooled] : new PoseFrame();
            }
        }

        private void CountMissing(long sequence)
        {
            long step = sequence - _lastSequence;
            if (_lastSequence >= 0 && step > 1 && step < 10000)
            {
                Missing += step - 1;
            }
            else if (_lastSequence >= 0 && step < 0 && step > -Capacity && Missing > 0)
            {
                Missing--; // came late, was not lost
                return;
            }
            _lastSequence = sequence;
        }

        private void Insert(PoseFrame frame)
        {
            int at = _count;
            while (at > 0 && _frames[at - 1].CaptureNs > frame.CaptureNs)
            {
                at--;
            }
            if (at > 0 && _frames[at - 1].CaptureNs == frame.CaptureNs)
            {
                Recycle(at - 1);
                _frames[at - 1] = frame;
                return;
            }
            if (_count == Capacity)
            {
                if (at == 0)
                {
                    _pool[_pooled++] = frame;
                    return;
                }
                Drop(1);
                at--;
            }
            Array.Copy(_frames, at, _frames, at + 1, _count - at);
            _frames[at] = frame;
            _count++;
        }

        private void Drop(int frames)
        {
            for (int i = 0; i < frames; i++)
            {
                Recycle(i);
            }
            Array.Copy(_frames, frames, _frames, 0, _count - frames);
            for (int i = _count - frames; i < _count; i++)
            {
                _frames[i] = null;
            }
            _count -= frames;
        }

        /// <summary>Everybody at the moment to show now; false if nothing has come yet.</summary>
        public bool Sample(long nowNs, PoseFrame into)
        {
            lock (_lock)
            {
                float seconds = Numeric.Clamp((nowNs - _lastSampleNs) * 1e-9f, 0f, 0.25f);
                _lastSampleNs = nowNs;
                if (_count == 0)
                {
                    return false;
                }
                bool jumped;
                double playhead = _clock.Advance(nowNs, out jumped);
                Samples++;
                if (_settings.Mode == PlaybackMode.Newest)
                {
                    into.CopyFrom(_frames[_count - 1]);
                    PlayheadNs = into.CaptureNs;
                    return true;
                }
                PlayheadNs = (long)playhead;
                SampleAt(playhead, into);
                if (jumped)
                {
                    _catchUp.Begin();
                }
                _catchUp.Apply(into, seconds);
                return true;
            }
        }

        /// <summary>The frame that was captured exactly then, as it came; false if it is not here.</summary>
        public bool SampleExactly(long captureNs, PoseFrame into)
        {
            lock (_lock)
            {
                for (int i = _count - 1; i >= 0; i--)
                {
                    if (_frames[i].CaptureNs == captureNs)
                    {
                        into.CopyFrom(_frames[i]);
                        return true;
                    }
                }
                return false;
            }
        }

        private void SampleAt(double playhead, PoseFrame into)
        {
            int next = _count;
            while (next > 0 && _frames[next - 1].CaptureNs > playhead)
            {
                next--;
            }
            int old = 0;
            while (old < next - 2 && _frames[old + 1].CaptureNs < playhead - HistoryNs)
            {
                old++;
            }
            if (old > 0)
            {
                Drop(old);
                next -= old;
            }
            if (next == _count)
            {
                Continue(playhead, into);
                return;
            }
            Recovered();
            if (next == 0)
            {
                into.CopyFrom(_frames[0]);
                return;
            }
            PoseFrame a = _frames[next - 1];
            PoseFrame b = _frames[next];
            float t = (float)((playhead - a.CaptureNs) / (b.CaptureNs - a.CaptureNs));
            into.CopyTimesFrom(a);
            Interpolation.Blend(a, b, t, a, into);
        }

        private void Recovered()
        {
            if (_starved)
            {
                _starved = false;
                _catchUp.Begin();
            }
        }

        /// <summary>Nothing newer is here: goes on as it moved, ever slower.</summary>
        private void Continue(double playhead, PoseFrame into)
        {
            PoseFrame newest = _frames[_count - 1];
            double beyond = playhead - newest.CaptureNs;
            double slack = _settings.Mode == PlaybackMode.LowLatency ? 1.5 * _clock.IntervalNs : 1e6;
            if (beyond > slack)
            {
                Concealed++;
                _starved = true;
            }
            double most = _settings.ConcealMs * 1e6;
            PoseFrame before = _count > 1 ? _frames[_count - 2] : newest;
            double step = newest.CaptureNs - before.CaptureNs;
            into.CopyTimesFrom(newest);
            if (step <= 0 || most <= 0 || step > RestartNs)
            {
                into.CopyFrom(newest);
                return;
            }
            double eased = most * (1.0 - Math.Exp(-beyond / most));
            Interpolation.Blend(before, newest, (float)(1.0 + Math.Min(eased / step, 4.0)), newest, into);
        }

        /// <summary>Writes the figures of the playback.</summary>
        public void Measure(FeedFigures figures)
        {
            lock (_lock)
            {
                figures.Received = Received;
                figures.Missing = Missing;
                figures.Concealed = Samples > 0 ? (float)Concealed / Samples : 0f;
                figures.JitterP50Ms = (float)(_clock.JitterNs(0.5) * 1e-6);
                figures.JitterP95Ms = (float)(_clock.JitterNs(0.95) * 1e-6);
                figures.BufferMs = (float)(_clock.WaitNs * 1e-6);
                figures.FramesPerSecond = _clock.IntervalNs > 0 ? (float)(1e9 / _clock.IntervalNs) : 0f;
            }
        }
    }
}
