using System;
using System.Security.Cryptography;
using System.Text;

namespace Posestream
{
    /// <summary>The HTTP exchange that opens a WebSocket, without sockets.</summary>
    public sealed class WebSocketHandshake
    {
        public const int MaxResponseBytes = 16 << 10;
        private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        private readonly string _key;

        public WebSocketHandshake()
        {
            byte[] random = new byte[16];
            using (RandomNumberGenerator generator = RandomNumberGenerator.Create())
            {
                generator.GetBytes(random);
            }
            _key = Convert.ToBase64String(random);
        }

        /// <summary>What to send.</summary>
        public byte[] Request(StreamAddress address, string resource, string token)
        {
            StringBuilder text = new StringBuilder();
            text.Append("GET ").Append(resource).Append(" HTTP/1.1\r\n");
            text.Append("Host: ").Append(address.HostText).Append(':').Append(address.Port).Append("\r\n");
            text.Append("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
            text.Append("Sec-WebSocket-Key: ").Append(_key).Append("\r\n");
            text.Append("Sec-WebSocket-Protocol: ").Append(Protocol.Subprotocol).Append("\r\n");
            string bearer = OneLine(token);
            if (bearer.Length > 0)
            {
                text.Append("Authorization: Bearer ").Append(bearer).Append("\r\n");
            }
            return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
        }

        private static string OneLine(string token)
        {
            StringBuilder clean = new StringBuilder();
            foreach (char c in token ?? "")
            {
                if (c > ' ' && c < 127)
                {
                    clean.Append(c);
                }
            }
            return clean.ToString();
        }

        /// <summary>Where the head ends, -1 if not all of it is there.</summary>
        public static int HeadEnd(byte[] data, int count)
        {
            for (int i = 3; i < count; i++)
            {
                if (data[i] == '\n' && data[i - 1] == '\r' && data[i - 2] == '\n' && data[i - 3] == '\r')
                {
                    return i + 1;
                }
            }
            return -1;
        }

        /// <summary>Throws StreamException unless the server has agreed.</summary>
        public void Check(string head, string body, StreamAddress address)
        {
            string[] lines = head.Split(new[] { "\r\n" }, StringSplitOptions.None);
            int status = Status(lines[0], address);
            if (status != 101)
            {
                throw Refusal(status, body, address);
            }
            if (Header(lines, "Sec-WebSocket-Accept") != Accept(_key))
            {
                throw new StreamException(
                    ConnectionProblem.NotPosestream, "What listens at " + address + " is not a WebSocket server.");
            }
        }

        private static int Status(string line, StreamAddress address)
        {
            string[] words = line.Split(' ');
            int status;
            if (words.Length >= 2 && words[0].StartsWith("HTTP/1.", StringComparison.Ordinal) && int.TryParse(words[1], out status))
            {
                return status;
            }
            throw new StreamException(
                ConnectionProblem.NotPosestream, "What listens at " + address + " is not posestream.");
        }

        private static StreamException Refusal(int status, string body, StreamAddress address)
        {
            string reason = body.Trim();
            if (status == 401)
            {
                return new StreamException(
                    ConnectionProblem.TokenRefused,
                    "The daemon at " + address + " refuses the token. " + reason +
                    " It is in the file 'token' in posestream's configuration folder there.");
            }
            return new StreamException(
                ConnectionProblem.Refused, "The daemon at " + address + " refuses (" + status + "). " + reason);
        }

        private static string Header(string[] lines, string name)
        {
            for (int i = 1; i < lines.Length; i++)
            {
                int colon = lines[i].IndexOf(':');
                if (colon > 0 && string.Equals(lines[i].Substring(0, colon), name, StringComparison.OrdinalIgnoreCase))
                {
                    return lines[i].Substring(colon + 1).Trim();
                }
            }
            return null;
        }

        public static string Accept(string key)
        {
            using (SHA1 sha = SHA1.Create())
            {
                return Convert.ToBase64String(sha.ComputeHash(Encoding.ASCII.GetBytes(key + Guid)));
            }
        }
    }
}
