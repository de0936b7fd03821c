using System;
using System.IO;

namespace Posestream
{
    /// <summary>Plays a .psrec file as if it came from a daemon, in its own time.</summary>
    public sealed class RecordingFeed : IPoseFeed
    {
        private readonly string _path;
        private readonly bool _loop;
        private readonly JitterBuffer _buffer;
        private readonly FrameDecoder _decoder = new FrameDecoder();
        private RecordingReader _reader;
        private long _startNs;
        private long _firstNs;
        private bool _pending;
        private bool _any;
        private bool _rewound;

        public RecordingFeed(string path, bool loop, PlaybackSettings playback)
        {
            _path = path;
            _loop = loop;
            _buffer = new JitterBuffer(playback);
        }

        public FeedState State { get; private set; }

        public string Status { get; private set; } = "Not playing.";

        public HelloMessage Hello { get; private set; }

        public void Start()
        {
            Stop();
            try
            {
                _reader = new RecordingReader(new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
                State = FeedState.Connected;
                Status = "Playing " + Path.GetFileName(_path) + ".";
                _any = _pending = false;
            }
            catch (Exception error) when (error is IOException || error is InvalidDataException || error is UnauthorizedAccessException || error is ArgumentException)
            {
                State = FeedState.Waiting;
                Status = "The recording cannot be played: " + error.Message;
            }
        }

        public void Stop()
        {
            if (_reader != null)
            {
                _reader.Dispose();
                _reader = null;
            }
            State = FeedState.Stopped;
            _buffer.Reset();
        }

        public void Dispose() => Stop();

        public bool Sample(long nowNs, PoseFrame into)
        {
            _rewound = false;
            while (_reader != null && Due(nowNs))
            {
                _pending = false;
                Take();
            }
            return _buffer.Sample(nowNs, into);
        }

        private bool Due(long nowNs)
        {
            if (!_pending)
            {
                _pending = _reader.Read();
                if (!_pending)
                {
                    return AtEnd(nowNs);
                }
                if (!_any)
                {
                    _any = true;
                    _startNs = nowNs;
                    _firstNs = _reader.TimeNs;
                }
            }
            return _reader.TimeNs - _firstNs <= nowNs - _startNs;
        }

        private bool AtEnd(long nowNs)
        {
            if (!_loop || !_any)
            {
                State = FeedState.Waiting;
                Status = "The recording has ended.";
                _reader.Dispose();
                _reader = null;
                return false;
            }
            if (_rewound)
            {
                return false; // shorter than the time between two pictures: once is enough
            }
            _rewound = true;
            _reader.Rewind();
            _any = false;
            return Due(nowNs);
        }

        private void Take()
        {
            WireError error;
            switch (MessageScan.KindOf(_reader.Data, 0, _reader.Count))
            {
                case HelloLayout.Kind:
                    Hello = HelloMessage.Decode(_reader.Data, 0, _reader.Count, out error) ?? Hello;
                    break;
                case FrameLayout.Kind:
                    if (_decoder.Decode(_reader.Data, 0, _reader.Count, _buffer.Spare) == WireError.None)
                    {
                        _buffer.Push(_startNs + (_reader.TimeNs - _firstNs));
                    }
                    break;
            }
        }

        public void Measure(FeedFigures figures) => _buffer.Measure(figures);
    }
}
