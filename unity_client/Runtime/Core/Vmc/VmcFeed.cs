using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Posestream
{
    /// <summary>VMC performers over UDP, one person per port: slot 0 is on the first port.</summary>
    public sealed class VmcFeed : IPoseFeed
    {
        private const int PollUs = 50000;
        private const int IdleUs = 4000;
        private const long GoneNs = 2000000000;
        private readonly int[] _ports;
        private readonly bool _fromAnywhere;
        private readonly VmcPort[] _performers;
        private readonly PoseFrame _one = new PoseFrame();
        private Thread[] _threads;
        private volatile bool _running;
        private volatile string _status = "Not listening.";
        private int _state;

        /// <summary>fromAnywhere: also from other machines.</summary>
        public VmcFeed(int[] ports, bool fromAnywhere, PlaybackSettings playback)
        {
            _ports = (int[])ports.Clone();
            _fromAnywhere = fromAnywhere;
            _performers = new VmcPort[ports.Length];
            for (int i = 0; i < ports.Length; i++)
            {
                _performers[i] = new VmcPort(i, playback);
            }
        }

        public FeedState State => (FeedState)Volatile.Read(ref _state);

        public string Status => _status;

        public HelloMessage Hello => null;

        /// <summary>The decoder of a port, for its expression names.</summary>
        public VmcDecoder Decoder(int index) => _performers[index].Decoder;

        public void Start()
        {
            if (_running)
            {
                return;
            }
            _running = true;
            _threads = new Thread[_ports.Length];
            _status = "Listening for VMC on port " + string.Join(", ", Array.ConvertAll(_ports, p => p.ToString())) + ".";
            Volatile.Write(ref _state, (int)FeedState.Connected);
            for (int i = 0; i < _ports.Length; i++)
            {
                Socket socket = Open(_ports[i]);
                if (socket == null)
                {
                    continue;
                }
                VmcPort performer = _performers[i];
                _threads[i] = new Thread(() => Receive(socket, performer)) { IsBackground = true, Name = "posestream VMC" };
                _threads[i].Start();
            }
        }

        private Socket Open(int port)
        {
            Socket socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.ExclusiveAddressUse = true;
                socket.ReceiveBufferSize = 1 << 18;
                socket.Bind(new IPEndPoint(_fromAnywhere ? IPAddress.Any : IPAddress.Loopback, port));
                return socket;
            }
            catch (SocketException)
            {
                socket.Close();
                _status = "UDP port " + port + " is in use: stop the other program or choose another port.";
                Volatile.Write(ref _state, (int)FeedState.Waiting);
                return null;
            }
        }

        private void Receive(Socket socket, VmcPort performer)
        {
            byte[] data = new byte[65536];
            while (_running)
            {
                try
                {
                    if (!socket.Poll(performer.Decoder.Pending ? IdleUs : PollUs, SelectMode.SelectRead))
                    {
                        performer.Idle(MonotonicClock.NowNs);
                        continue;
                    }
                    SocketError error;
                    int count = socket.Receive(data, 0, data.Length, SocketFlags.None, out error);
                    if (error == SocketError.Success)
                    {
                        performer.Feed(data, count, MonotonicClock.NowNs);
                    }
                }
                catch (SocketException)
                {
                    Thread.Sleep(10); // Windows reports a port that went away at the other end
                }
                catch (ObjectDisposedException)
                {
                    break;
                }
            }
            socket.Close();
        }

        public void Stop()
        {
            _running = false;
            foreach (Thread thread in _threads ?? new Thread[0])
            {
                if (thread != null)
                {
                    thread.Join(500);
                }
            }
            _threads = null;
            _status = "Not listening.";
            Volatile.Write(ref _state, (int)FeedState.Stopped);
        }

        public void Dispose() => Stop();

        public bool Sample(long nowNs, PoseFrame into)
        {
            int people = 0;
            into.SetCount(0);
            for (int i = 0; i < _performers.Length; i++)
            {
                if (nowNs - _performers[i].HeardNs > GoneNs || !_performers[i].Buffer.Sample(nowNs, _one) || _one.Count == 0)
                {
                    continue;
                }
                into.SetCount(people + 1);
                into.CopyTimesFrom(_one);
                into[people++].CopyFrom(_one[0]);
            }
            return people > 0;
        }

        public void Measure(FeedFigures figures)
        {
            long received = 0;
            for (int i = _performers.Length - 1; i >= 0; i--)
            {
                _performers[i].Buffer.Measure(figures);
                received += figures.Received;
            }
            figures.Received = received;
            figures.LatencyMs = figures.LatencyP95Ms = float.NaN; // VMC does not say when the light fell in
        }
    }

    /// <summary>What comes in on one port.</summary>
    public sealed class VmcPort
    {
        private readonly int _slot;
        private long _frames;
        private long _lastCaptureNs;
        private float _lastTime;
        private double _unwrapped;
        private long _heardNs = long.MinValue / 2;

        public VmcPort(int slot, PlaybackSettings playback)
        {
            _slot = slot;
            Buffer = new JitterBuffer(playback);
        }

        public VmcDecoder Decoder { get; } = new VmcDecoder();

        public JitterBuffer Buffer { get; }

        /// <summary>When a pose came last.</summary>
        public long HeardNs => Volatile.Read(ref _heardNs);

        /// <summary>A datagram has come.</summary>
        public void Feed(byte[] data, int count, long nowNs)
        {
            Decoder.Begin(data, count);
            while (Decoder.Next())
            {
                Push(nowNs);
            }
        }

        /// <summary>Nothing came for a while: what is there is a frame.</summary>
        public void Idle(long nowNs)
        {
            if (Decoder.Pending)
            {
                Push(nowNs);
            }
        }

        private void Push(long nowNs)
        {
            PoseFrame frame = Buffer.Spare;
            frame.SetCount(1);
            Decoder.Take(frame[0]);
            frame[0].Slot = _slot;
            frame[0].TrackId = _slot;
            frame.CaptureNs = CaptureNs(nowNs);
            frame.PublishNs = frame.CaptureNs;
            bool again = frame.CaptureNs == _lastCaptureNs;
            frame.Sequence = again ? _frames : ++_frames; // the rest of a frame that was taken for whole
            _lastCaptureNs = frame.CaptureNs;
            Buffer.Push(nowNs);
            Volatile.Write(ref _heardNs, nowNs);
        }

        /// <summary>The sender's time; where it sends none or a frozen one, the time of arrival.</summary>
        private long CaptureNs(long nowNs)
        {
            if (!Decoder.HasTime)
            {
                return nowNs;
            }
            float time = Decoder.TimeS;
            _unwrapped = _frames == 0 || time < _lastTime - 1f ? time : _unwrapped + (time - _lastTime);
            _lastTime = time;
            return (long)(_unwrapped * 1e9);
        }
    }
}
