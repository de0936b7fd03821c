using System;
using System.Text;

namespace Posestream
{
    /// <summary>What a client sends, as bytes. Reused; allocates only for text.</summary>
    public sealed class MessageWriter
    {
        private byte[] _data = new byte[256];

        public byte[] Data => _data;

        public int Count { get; private set; }

        /// <summary>Asks for the server's clock.</summary>
        public void ClockRequest(long clientNs)
        {
            Begin(ClockRequestLayout.Kind);
            int at = Section(ClockRequestLayout.ClockRequestId, ClockRequestLayout.ClockRequestBytes);
            Little.Put64(_data, at + ClockRequestLayout.ClockRequestTClientNsAt, clientNs);
            End();
        }

        /// <summary>Chooses what this connection gets.</summary>
        public void Subscribe(uint id, float rateHz, Rotations rotations, bool positions, bool picture, string token)
        {
            Begin(SubscribeLayout.Kind);
            int at = Section(SubscribeLayout.SubscribeId, SubscribeLayout.SubscribeBytes);
            Little.Put32(_data, at + SubscribeLayout.SubscribeIdAt, id);
            Little.PutF32(_data, at + SubscribeLayout.SubscribeRateHzAt, rateHz);
            _data[at + SubscribeLayout.SubscribeAxesAt] = (byte)Axes.Unity;
            _data[at + SubscribeLayout.SubscribeRotationsAt] = (byte)rotations;
            _data[at + SubscribeLayout.SubscribePositionsAt] = (byte)(positions ? 1 : 0);
            _data[at + SubscribeLayout.SubscribePictureAt] = (byte)(picture ? 1 : 0);
            Text(SubscribeLayout.TokenId, token, Protocol.MaxTokenBytes);
            End();
        }

        /// <summary>Asks the daemon to do something; payload: a JSON object or null.</summary>
        public void Control(uint id, string name, string payloadJson, string token)
        {
            Begin(ControlLayout.Kind);
            int at = Section(ControlLayout.ControlId, ControlLayout.ControlBytes);
            Little.Put32(_data, at + ControlLayout.ControlIdAt, id);
            Text(ControlLayout.NameId, name, 64);
            Text(ControlLayout.PayloadId, payloadJson, Protocol.MaxControlBytes);
            Text(ControlLayout.TokenId, token, Protocol.MaxTokenBytes);
            End();
        }

        private void Begin(byte kind)
        {
            Count = Protocol.HeaderBytes;
            _data[0] = Protocol.Magic0;
            _data[1] = Protocol.Magic1;
            _data[2] = Protocol.Version;
            _data[3] = kind;
        }

        private int Section(int id, int bytes)
        {
            int need = Count + Protocol.SectionHeaderBytes + bytes;
            if (_data.Length < need)
            {
                Array.Resize(ref _data, need * 2);
            }
            Little.Put16(_data, Count, id);
            Little.Put16(_data, Count + 2, 0);
            Little.Put32(_data, Count + 4, (uint)bytes);
            int at = Count + Protocol.SectionHeaderBytes;
            Array.Clear(_data, at, bytes);
            Count = need;
            return at;
        }

        private void Text(int id, string text, int maxBytes)
        {
            if (string.IsNullOrEmpty(text))
            {
                return;
            }
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            if (bytes.Length > maxBytes)
            {
                throw new ArgumentException("The text has " + bytes.Length + " bytes; " + maxBytes + " are allowed.");
            }
            Buffer.BlockCopy(bytes, 0, _data, Section(id, bytes.Length), bytes.Length);
        }

        private void End() => Little.Put32(_data, 4, (uint)Count);
    }
}
