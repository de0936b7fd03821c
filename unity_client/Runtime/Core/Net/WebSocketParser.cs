using System;

namespace Posestream
{
    /// <summary>What a parser has found.</summary>
    public enum WebSocketEvent
    {
        NeedMore, Message, Text, Ping, Pong, Close, Broken,
    }

    /// <summary>
    /// RFC 6455 frames of a server from bytes, without sockets. Messages in pieces are put together; the payload of
    /// the last event is in <see cref="Payload"/> until the next call. Allocates only when a message is larger than
    /// any before.
    /// </summary>
    public sealed class WebSocketParser
    {
        private readonly int _maxMessage;
        private readonly byte[] _head = new byte[10];
        private readonly byte[] _control = new byte[125];
        private byte[] _message = new byte[16 << 10];
        private int _headHave;
        private int _messageHave;
        private int _pieceOpcode;
        private bool _inPayload;
        private bool _final;
        private int _opcode;
        private int _left;
        private int _controlHave;
        private bool _broken;

        public WebSocketParser(int maxMessage)
        {
            _maxMessage = maxMessage;
        }

        public byte[] Payload { get; private set; }

        public int PayloadCount { get; private set; }

        private bool IsControl => _opcode >= 8;

        /// <summary>Takes bytes from <paramref name="at"/> up to the next event and moves it on.</summary>
        public WebSocketEvent Feed(byte[] data, ref int at, int end)
        {
            while (!_broken)
            {
                if (!_inPayload)
                {
                    if (!ReadHead(data, ref at, end))
                    {
                        return _broken ? WebSocketEvent.Broken : WebSocketEvent.NeedMore;
                    }
                }
                if (!ReadPayload(data, ref at, end))
                {
                    return WebSocketEvent.NeedMore;
                }
                _inPayload = false;
                WebSocketEvent found = Finish();
                if (found != WebSocketEvent.NeedMore)
                {
                    return found;
                }
            }
            return WebSocketEvent.Broken;
        }

        private bool ReadHead(byte[] data, ref int at, int end)
        {
            while (true)
            {
                int need = HeadBytes();
                if (_headHave >= need)
                {
                    break;
                }
                if (at >= end)
                {
                    return false;
                }
                _head[_headHave++] = data[at++];
            }
            _headHave = 0;
            return Understand();
        }

        private int HeadBytes()
        {
            if (_headHave < 2)
            {
                return 2;
            }
            int size = _head[1] & 0x7F;
            return size == 126 ? 4 : size == 127 ? 10 : 2;
        }

        private bool Understand()
        {
            _final = (_head[0] & 0x80) != 0;
            _opcode = _head[0] & 0x0F;
            long length = _head[1] & 0x7F;
            if (length == 126)
            {
                length = _head[2] << 8 | _head[3];
            }
            else if (length == 127)
            {
                length = 0;
                for (int i = 2; i < 10; i++)
                {
                    length = length << 8 | _head[i];
                }
            }
            bool reserved = (_head[0] & 0x70) != 0;
            bool masked = (_head[1] & 0x80) != 0;
            _broken = reserved || masked || !LengthAllowed(length) || !OrderAllowed();
            if (_broken)
            {
                return false;
            }
            _left = (int)length;
            _controlHave = 0;
            _inPayload = true;
            if (!IsControl)
            {
                if (_opcode != 0)
                {
                    _pieceOpcode = _opcode;
                    _messageHave = 0;
                }
                Reserve(_messageHave + _left);
            }
            return true;
        }

        private bool LengthAllowed(long length)
        {
            if (IsControl)
            {
                return length <= 125;
            }
            int before = _opcode == 0 ? _messageHave : 0;
            return length >= 0 && length <= _maxMessage - before;
        }

        private bool OrderAllowed()
        {
            switch (_opcode)
            {
                case 0: return _pieceOpcode != 0;
                case 1:
                case 2: return _pieceOpcode == 0;
                case 8:
                case 9:
                case 10: return _final;
                default: return false;
            }
        }

        private void Reserve(int bytes)
        {
            // a length is only a promise: grow no faster than twofold beyond what has come
            int ceiling = Math.Max(_messageHave * 2, 256 << 10);
            int want = Math.Min(bytes, ceiling);
            if (_message.Length < want)
            {
                Array.Resize(ref _message, Math.Min(_maxMessage, Math.Max(want, _message.Length * 2)));
            }
        }

        private bool ReadPayload(byte[] data, ref int at, int end)
        {
            int take = Math.Min(_left, end - at);
            if (IsControl)
            {
                Buffer.BlockCopy(data, at, _control, _controlHave, take);
                _controlHave += take;
            }
            else
            {
                while (_message.Length < _messageHave + take)
                {
                    Array.Resize(ref _message, Math.Min(_maxMessage, _message.Length * 2));
                }
                Buffer.BlockCopy(data, at, _message, _messageHave, take);
                _messageHave += take;
            }
            at += take;
            _left -= take;
            return _left == 0;
        }

        private WebSocketEvent Finish()
        {
            if (IsControl)
            {
                Payload = _control;
                PayloadCount = _controlHave;
                return _opcode == 8 ? WebSocketEvent.Close : _opcode == 9 ? WebSocketEvent.Ping : WebSocketEvent.Pong;
            }
            if (!_final)
            {
                return WebSocketEvent.NeedMore;
            }
            Payload = _message;
            PayloadCount = _messageHave;
            bool binary = _pieceOpcode == 2;
            _pieceOpcode = 0;
            return binary ? WebSocketEvent.Message : WebSocketEvent.Text;
        }
    }
}
