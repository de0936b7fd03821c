using System;
using System.Collections.Generic;
using System.Threading;

namespace Posestream
{
    /// <summary>A connection to the daemon that keeps itself up, with everything that comes over it.</summary>
    public sealed partial class StreamClient : IPoseFeed
    {
        private const long ClockEveryNs = 500000000;
        private const int ClockBurst = 6;
        private const int SliceMs = 100;
        private const int MaxQueued = 64;
        private readonly object _lock = new object();
        private readonly StreamSettings _settings;
        private readonly Func<bool, ITransport> _open;
        private readonly FrameDecoder _decoder = new FrameDecoder();
        private readonly MessageScan _scan = new MessageScan();
        private readonly MessageWriter _writer = new MessageWriter();
        private readonly ClockSync _clock = new ClockSync();
        private readonly SlidingWindow _latency = new SlidingWindow(256);
        private readonly Backoff _backoff = new Backoff(new Random());
        private readonly Queue<EventMessage> _events = new Queue<EventMessage>();
        private readonly Queue<ReplyMessage> _replies = new Queue<ReplyMessage>();
        private readonly Queue<byte[]> _outgoing = new Queue<byte[]>();
        private readonly PictureRing _pictures = new PictureRing();
        private readonly MessageTee _tee = new MessageTee();
        private Thread _thread;
        private ManualResetEvent _stop;
        private volatile ITransport _transport;
        private volatile HelloMessage _hello;
        private volatile string _status = "Not connected.";
        private int _state;
        private long _lastClockNs;
        private int _clockSent;
        private uint _nextId = 1;
        private long _bad;

        public StreamClient(StreamSettings settings, PlaybackSettings playback)
            : this(settings, playback, secure => secure ? (ITransport)new SecureTransport() : new SocketTransport())
        {
        }

        public StreamClient(StreamSettings settings, PlaybackSettings playback, Func<bool, ITransport> open)
        {
            _settings = settings;
            _open = open;
            Buffer = new JitterBuffer(playback);
        }

        public JitterBuffer Buffer { get; private set; }

        public FeedState State => (FeedState)Volatile.Read(ref _state);

        public string Status => _status;

        /// <summary>Why there is no connection at the moment.</summary>
        public ConnectionProblem Problem { get; private set; }

        public HelloMessage Hello => _hello;

        public int Connections { get; private set; }

        public PictureRing Pictures => _pictures;

        public void Start()
        {
            if (_thread != null)
            {
                return;
            }
            ManualResetEvent stop = new ManualResetEvent(false);
            _stop = stop;
            _thread = new Thread(() => Run(stop)) { IsBackground = true, Name = "posestream" };
            _thread.Start();
        }

        public void Stop()
        {
            Thread thread = _thread;
            if (thread == null)
            {
                return;
            }
            _stop.Set();
            ITransport transport = _transport;
            if (transport != null)
            {
                transport.Dispose();
            }
            thread.Join(500);
            _thread = null;
            _tee.Stop();
            Set(FeedState.Stopped, "Not connected.");
        }

        public void Dispose() => Stop();

        /// <summary>Asks the daemon for something; the answer comes through <see cref="TryTakeReply"/>.</summary>
        public uint Control(string name, string payloadJson)
        {
            lock (_lock)
            {
                uint id = _nextId++;
                MessageWriter writer = new MessageWriter();
                writer.Control(id, name, payloadJson, Token());
                byte[] message = new byte[writer.Count];
                System.Buffer.BlockCopy(writer.Data, 0, message, 0, writer.Count);
                if (_outgoing.Count < MaxQueued)
                {
                    _outgoing.Enqueue(message);
                }
                return id;
            }
        }

        public bool TryTakeEvent(out EventMessage message)
        {
            lock (_lock)
            {
                message = _events.Count > 0 ? _events.Dequeue() : null;
                return message != null;
            }
        }

        public bool TryTakeReply(out ReplyMessage message)
        {
            lock (_lock)
            {
                message = _replies.Count > 0 ? _replies.Dequeue() : null;
                return message != null;
            }
        }

        /// <summary>Writes everything that comes from now on to a new .psrec file. Throws IOException.</summary>
        public void StartRecording(string path) => _tee.Start(path);

        /// <summary>Ends the recording; the number of frames in it.</summary>
        public long StopRecording() => _tee.Stop();

        public bool Recording => _tee.Active;

        public bool Sample(long nowNs, PoseFrame into)
        {
            if (!Buffer.Sample(nowNs, into))
            {
                return false;
            }
            lock (_lock)
            {
                if (_clock.Known)
                {
                    _latency.Add(nowNs + _clock.OffsetNs - Buffer.PlayheadNs);
                }
            }
            return true;
        }

        public void Measure(FeedFigures figures)
        {
            Buffer.Measure(figures);
            lock (_lock)
            {
                bool known = _clock.Known && _latency.Count > 0;
                figures.LatencyMs = known ? (float)(_latency.Quantile(0.5) * 1e-6) : float.NaN;
                figures.LatencyP95Ms = known ? (float)(_latency.Quantile(0.95) * 1e-6) : float.NaN;
                figures.RoundTripMs = _clock.Known ? _clock.RoundTripNs * 1e-6f : float.NaN;
                figures.BadMessages = _bad;
            }
        }

        private void Run(ManualResetEvent stop)
        {
            // each thread has an event of its own: one that ends late must not go on after a new start
            while (!stop.WaitOne(0))
            {
                try
                {
                    Listen(Connect(stop), stop);
                }
                catch (StreamException error)
                {
                    Failed(stop, error.Problem, error.Message);
                }
                catch (Exception error) when (!(error is ThreadAbortException))
                {
                    // whatever a socket library may throw, the connection is retried and the game goes on
                    Failed(stop, ConnectionProblem.Closed, "The connection failed: " + error.Message);
                }
                Hangup();
                stop.WaitOne(_backoff.NextMs());
            }
        }

        private void Failed(ManualResetEvent stop, ConnectionProblem problem, string message)
        {
            if (!stop.WaitOne(0))
            {
                Problem = problem;
                Set(FeedState.Waiting, message);
            }
        }

        private void Hangup()
        {
            ITransport transport = _transport;
            _transport = null;
            if (transport != null)
            {
                transport.Dispose();
            }
        }

        private ITransport Connect(ManualResetEvent stop)
        {
            string problem;
            StreamAddress address = StreamAddress.Parse(_settings.Address, out problem);
            if (address == null)
            {
                throw new StreamException(ConnectionProblem.BadAddress, problem);
            }
            Set(FeedState.Connecting, State == FeedState.Waiting ? _status : "Connecting to " + address + " …");
            ITransport transport = _open(address.Secure);
            _transport = transport;
            string resource = StreamAddress.Resource(_settings.Packed, _settings.Positions, _settings.RateHz);
            if (!stop.WaitOne(0))
            {
                transport.Connect(address, resource, _settings.Picture ? Token() : _settings.Token, _settings.ConnectMs);
            }
            if (stop.WaitOne(0))
            {
                return transport;
            }
            lock (_lock)
            {
                _clock.Reset();
                _latency.Clear();
                _outgoing.Clear();
            }
            _clockSent = 0;
            _lastClockNs = 0;
            Connections++;
            Buffer.Reconnected();
            if (_settings.Picture)
            {
                SubscribeToPictures(transport);
            }
            Problem = ConnectionProblem.None;
            Set(FeedState.Connected, "Connected to " + address + ".");
            return transport;
        }

        private void SubscribeToPictures(ITransport transport)
        {
            Rotations rotations = _settings.Packed ? Rotations.Packed : Rotations.Float32;
            _writer.Subscribe(0, _settings.RateHz, rotations, _settings.Positions, true, Token());
            transport.Send(_writer.Data, 0, _writer.Count);
        }

        private string Token() => string.IsNullOrEmpty(_settings.Token) ? TokenFile.Read() : _settings.Token;

        private void Listen(ITransport transport, ManualResetEvent stop)
        {
            long heardNs = MonotonicClock.NowNs;
            while (!stop.WaitOne(0))
            {
                SendDue(transport);
                int count = transport.Receive(SliceMs);
                long nowNs = MonotonicClock.NowNs;
                if (count >= 0)
                {
                    heardNs = nowNs;
                    Take(transport.Buffer, count, nowNs);
                }
                else if (nowNs - heardNs > _settings.SilenceMs * 1000000L)
                {
                    throw new StreamException(
                        ConnectionProblem.Frozen, "The daemon has said nothing for " + _settings.SilenceMs / 1000f + " s: it may be frozen.");
                }
            }
        }

        private void SendDue(ITransport transport)
        {
            long nowNs = MonotonicClock.NowNs;
            long wait = _clockSent < ClockBurst ? ClockEveryNs / 10 : ClockEveryNs;
            if (nowNs - _lastClockNs >= wait)
            {
                _lastClockNs = nowNs;
                _clockSent++;
                _writer.ClockRequest(nowNs);
                transport.Send(_writer.Data, 0, _writer.Count);
            }
            byte[] message = null;
            lock (_lock)
            {
                if (_outgoing.Count > 0)
                {
                    message = _outgoing.Dequeue();
                }
            }
            if (message != null)
            {
                transport.Send(message, 0, message.Length);
            }
        }

        private void Set(FeedState state, string status)
        {
            _status = status;
            Volatile.Write(ref _state, (int)state);
        }
    }
}
