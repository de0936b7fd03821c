using System;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Posestream
{
    /// <summary>WebSocket for ws:// on a plain socket: true time-outs, the server's reasons, no allocation.</summary>
    public sealed class SocketTransport : ITransport
    {
        private readonly WebSocketParser _parser = new WebSocketParser(Protocol.MaxMessageBytes);
        private readonly byte[] _in = new byte[64 << 10];
        private readonly byte[] _mask = new byte[4];
        private readonly Random _random = new Random();
        private readonly Stopwatch _watch = new Stopwatch();
        private byte[] _out = new byte[512];
        private volatile Socket _socket;
        private volatile bool _disposed;
        private int _at;
        private int _end;
        private StreamAddress _address;

        public byte[] Buffer { get; private set; }

        public void Connect(StreamAddress address, string resource, string token, int timeoutMs)
        {
            _address = address;
            Socket socket = Open(address, timeoutMs);
            socket.NoDelay = true;
            socket.SendTimeout = timeoutMs;
            socket.ReceiveTimeout = timeoutMs;
            WebSocketHandshake handshake = new WebSocketHandshake();
            byte[] request = handshake.Request(address, resource, token);
            SendAll(request, request.Length);
            ReadResponse(handshake, timeoutMs);
        }

        private Socket Open(StreamAddress address, int timeoutMs)
        {
            SocketError error = SocketError.HostNotFound;
            foreach (IPAddress ip in Resolve(address))
            {
                Socket socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                _socket = socket; // so that Dispose ends the attempt
                if (_disposed)
                {
                    socket.Close();
                    throw Lost();
                }
                try
                {
                    IAsyncResult attempt = socket.BeginConnect(ip, address.Port, null, null);
                    if (attempt.AsyncWaitHandle.WaitOne(timeoutMs))
                    {
                        socket.EndConnect(attempt);
                        return socket;
                    }
                    error = SocketError.TimedOut;
                }
                catch (SocketException refused)
                {
                    error = refused.SocketErrorCode;
                }
                catch (ObjectDisposedException)
                {
                    throw Lost();
                }
                socket.Close();
            }
            throw Nobody(address, error);
        }

        private static IPAddress[] Resolve(StreamAddress address)
        {
            IPAddress literal;
            if (IPAddress.TryParse(address.Host, out literal))
            {
                return new[] { literal };
            }
            try
            {
                return Dns.GetHostAddresses(address.Host);
            }
            catch (SocketException)
            {
                return new IPAddress[0];
            }
        }

        private static StreamException Nobody(StreamAddress address, SocketError error)
        {
            if (error == SocketError.HostNotFound)
            {
                return new StreamException(ConnectionProblem.NobodyThere, "No machine is called '" + address.Host + "'.");
            }
            string start = address.Host == "127.0.0.1" || address.Host == "localhost"
                ? ": run `python3 tools/run.py` in posestream's folder."
                : ": start it there with --set websocket.host=0.0.0.0, and check the firewall.";
            return new StreamException(
                error == SocketError.TimedOut ? ConnectionProblem.TimedOut : ConnectionProblem.NobodyThere,
                "No daemon at " + address.HostText + ":" + address.Port + start);
        }

        private void ReadResponse(WebSocketHandshake handshake, int timeoutMs)
        {
            _watch.Restart();
            int head;
            while ((head = WebSocketHandshake.HeadEnd(_in, _end)) < 0)
            {
                if (_end >= WebSocketHandshake.MaxResponseBytes)
                {
                    throw new StreamException(ConnectionProblem.NotPosestream, "What listens at " + _address + " is not posestream.");
                }
                if (!Fill(timeoutMs - (int)_watch.ElapsedMilliseconds))
                {
                    throw new StreamException(
                        ConnectionProblem.TimedOut, "Something listens at " + _address + " but does not answer.");
                }
            }
            string text = Encoding.ASCII.GetString(_in, 0, head);
            bool agreed = text.StartsWith("HTTP/1.1 101", StringComparison.Ordinal);
            handshake.Check(text, agreed ? "" : Body(head), _address);
            _at = head;
        }

        /// <summary>What the server says to a refusal; it closes afterwards.</summary>
        private string Body(int head)
        {
            try
            {
                while (_end < WebSocketHandshake.MaxResponseBytes && Fill(250))
                {
                }
            }
            catch (StreamException)
            {
                // closed: all is here
            }
            return Encoding.UTF8.GetString(_in, head, Math.Min(_end - head, 1024));
        }

        public int Receive(int timeoutMs)
        {
            _watch.Restart();
            while (true)
            {
                WebSocketEvent found = _parser.Feed(_in, ref _at, _end);
                switch (found)
                {
                    case WebSocketEvent.Message:
                        Buffer = _parser.Payload;
                        return _parser.PayloadCount;
                    case WebSocketEvent.Ping:
                        SendFrame(0x8A, _parser.Payload, 0, _parser.PayloadCount);
                        break;
                    case WebSocketEvent.Close:
                        throw Closed();
                    case WebSocketEvent.Broken:
                        throw new StreamException(ConnectionProblem.ProtocolBroken, "What " + _address + " sends is not WebSocket.");
                    case WebSocketEvent.NeedMore:
                        int left = timeoutMs - (int)_watch.ElapsedMilliseconds;
                        if (!Fill(Math.Max(left, 0)))
                        {
                            return -1;
                        }
                        break;
                }
            }
        }

        private StreamException Closed()
        {
            byte[] payload = _parser.Payload;
            int count = _parser.PayloadCount;
            string reason = count > 2 ? Encoding.UTF8.GetString(payload, 2, count - 2) : "";
            return new StreamException(
                ConnectionProblem.Closed, "The daemon has closed the connection" + (reason.Length > 0 ? ": " + reason : "."));
        }

        /// <summary>Whether bytes came in time. Throws StreamException when the connection has ended.</summary>
        private bool Fill(int timeoutMs)
        {
            Socket socket = _socket;
            if (socket == null)
            {
                throw Lost();
            }
            if (_at > 0 && _at == _end)
            {
                _at = _end = 0;
            }
            if (_end == _in.Length)
            {
                throw new StreamException(ConnectionProblem.ProtocolBroken, "The server's answer is too long.");
            }
            try
            {
                if (!socket.Poll(Math.Max(timeoutMs, 0) * 1000, SelectMode.SelectRead))
                {
                    return false;
                }
                SocketError error;
                int count = socket.Receive(_in, _end, _in.Length - _end, SocketFlags.None, out error);
                if (count <= 0 || error != SocketError.Success)
                {
                    throw Lost();
                }
                _end += count;
                return true;
            }
            catch (SocketException)
            {
                throw Lost();
            }
            catch (ObjectDisposedException)
            {
                throw Lost();
            }
        }

        private StreamException Lost() =>
            new StreamException(ConnectionProblem.Closed, "The connection to " + _address + " was lost.");

        public void Send(byte[] data, int offset, int count) => SendFrame(0x82, data, offset, count);

        private void SendFrame(byte first, byte[] data, int offset, int count)
        {
            int head = count < 126 ? 2 : count < 65536 ? 4 : 10;
            if (_out.Length < head + 4 + count)
            {
                _out = new byte[(head + 4 + count) * 2];
            }
            _out[0] = first;
            _out[1] = (byte)(0x80 | (count < 126 ? count : count < 65536 ? 126 : 127));
            for (int i = 2; i < head; i++)
            {
                int shift = 8 * (head - 1 - i);
                _out[i] = shift > 31 ? (byte)0 : (byte)(count >> shift);
            }
            _random.NextBytes(_mask);
            for (int i = 0; i < 4; i++)
            {
                _out[head + i] = _mask[i];
            }
            for (int i = 0; i < count; i++)
            {
                _out[head + 4 + i] = (byte)(data[offset + i] ^ _mask[i & 3]);
            }
            SendAll(_out, head + 4 + count);
        }

        private void SendAll(byte[] data, int count)
        {
            Socket socket = _socket;
            int sent = 0;
            try
            {
                while (sent < count)
                {
                    SocketError error = SocketError.NotConnected;
                    int n = socket == null ? 0 : socket.Send(data, sent, count - sent, SocketFlags.None, out error);
                    if (n <= 0 || error != SocketError.Success)
                    {
                        throw Lost();
                    }
                    sent += n;
                }
            }
            catch (SocketException)
            {
                throw Lost();
            }
            catch (ObjectDisposedException)
            {
                throw Lost();
            }
        }

        public void Dispose()
        {
            _disposed = true;
            Socket socket = _socket;
            _socket = null;
            if (socket != null)
            {
                socket.Close();
            }
        }
    }
}
