using System;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Threading;
using System.Threading.Tasks;

namespace Posestream
{
    /// <summary>WebSocket for wss:// through the system's own client. Allocates per message.</summary>
    public sealed class SecureTransport : ITransport
    {
        private readonly ClientWebSocket _socket = new ClientWebSocket();
        private readonly CancellationTokenSource _stop = new CancellationTokenSource();
        private byte[] _data = new byte[64 << 10];
        private int _have;
        private Task<WebSocketReceiveResult> _pending;

        public byte[] Buffer => _data;

        public void Connect(StreamAddress address, string resource, string token, int timeoutMs)
        {
            _socket.Options.AddSubProtocol(Protocol.Subprotocol);
            if (!string.IsNullOrEmpty(token))
            {
                _socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
            }
            Task connecting = _socket.ConnectAsync(new Uri(address + resource), _stop.Token);
            if (!Finished(connecting, timeoutMs))
            {
                throw new StreamException(ConnectionProblem.TimedOut, "No daemon answers at " + address + ".");
            }
        }

        public int Receive(int timeoutMs)
        {
            while (true)
            {
                if (_have == _data.Length)
                {
                    Grow();
                }
                if (_pending == null)
                {
                    ArraySegment<byte> room = new ArraySegment<byte>(_data, _have, _data.Length - _have);
                    _pending = _socket.ReceiveAsync(room, _stop.Token);
                }
                if (!Finished(_pending, timeoutMs))
                {
                    return -1;
                }
                WebSocketReceiveResult result = _pending.Result;
                _pending = null;
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    throw new StreamException(ConnectionProblem.Closed, "The daemon has closed the connection.");
                }
                _have += result.Count;
                if (result.EndOfMessage)
                {
                    int count = _have;
                    _have = 0;
                    if (result.MessageType == WebSocketMessageType.Binary)
                    {
                        return count;
                    }
                }
            }
        }

        private void Grow()
        {
            if (_data.Length >= Protocol.MaxMessageBytes)
            {
                throw new StreamException(ConnectionProblem.ProtocolBroken, "The daemon sends a message that is too long.");
            }
            Array.Resize(ref _data, Math.Min(_data.Length * 2, Protocol.MaxMessageBytes));
        }

        public void Send(byte[] data, int offset, int count)
        {
            Task sending = _socket.SendAsync(
                new ArraySegment<byte>(data, offset, count), WebSocketMessageType.Binary, true, _stop.Token);
            if (!Finished(sending, 2000))
            {
                throw new StreamException(ConnectionProblem.Frozen, "The daemon does not take what is sent.");
            }
        }

        private static bool Finished(Task task, int timeoutMs)
        {
            try
            {
                return task.Wait(timeoutMs);
            }
            catch (AggregateException error)
            {
                throw Explained(error);
            }
        }

        private static StreamException Explained(Exception error)
        {
            bool untrusted = false;
            while (error.InnerException != null)
            {
                untrusted |= error is AuthenticationException;
                error = error.InnerException; // the outer ones only say that something failed
            }
            string reason = error.Message.Trim().Split('\n')[0].TrimEnd('.') + ".";
            if (error is SocketException)
            {
                return new StreamException(ConnectionProblem.NobodyThere, "No daemon can be reached there: " + reason);
            }
            return untrusted || error is AuthenticationException
                ? new StreamException(
                    ConnectionProblem.Refused, "The server's certificate is not trusted, or is for another host: " + reason)
                : new StreamException(ConnectionProblem.Closed, "The secure connection failed: " + reason + " Check the token.");
        }

        public void Dispose()
        {
            _stop.Cancel();
            _socket.Dispose();
        }
    }
}
