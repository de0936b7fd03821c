using System;
using System.Text;

namespace Posestream
{
    /// <summary>Where the daemon is and what is wanted of it.</summary>
    public sealed class StreamAddress
    {
        public const string Default = "ws://127.0.0.1:8765";

        public string Host { get; private set; }

        public int Port { get; private set; }

        public bool Secure { get; private set; }

        private StreamAddress()
        {
        }

        /// <summary>Reads ws://HOST:PORT or wss://HOST:PORT; null and a sentence if it is neither.</summary>
        public static StreamAddress Parse(string text, out string problem)
        {
            problem = null;
            string address = string.IsNullOrWhiteSpace(text) ? Default : text.Trim();
            if (address.IndexOf("://", StringComparison.Ordinal) < 0)
            {
                address = "ws://" + address;
            }
            Uri uri;
            if (!Uri.TryCreate(address, UriKind.Absolute, out uri) || (uri.Scheme != "ws" && uri.Scheme != "wss") || uri.Host.Length == 0)
            {
                problem = "'" + text + "' is not an address: write it like " + Default + ".";
                return null;
            }
            bool portGiven = address.IndexOf(':', address.IndexOf("://", StringComparison.Ordinal) + 3) >= 0;
            return new StreamAddress
            {
                Host = uri.DnsSafeHost,
                Port = uri.Port > 0 && (portGiven || uri.Scheme == "wss") ? uri.Port : 8765,
                Secure = uri.Scheme == "wss",
            };
        }

        /// <summary>The request's path with its options.</summary>
        public static string Resource(bool packed, bool positions, float rateHz)
        {
            StringBuilder text = new StringBuilder("/?axes=unity&rotations=");
            text.Append(packed ? "packed" : "float32").Append("&positions=").Append(positions ? '1' : '0');
            if (rateHz > 0f)
            {
                text.Append("&rate=").Append(rateHz.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture));
            }
            return text.ToString();
        }

        public override string ToString() => (Secure ? "wss://" : "ws://") + HostText + ":" + Port;

        /// <summary>The host as a URL writes it.</summary>
        public string HostText => Host.IndexOf(':') >= 0 ? "[" + Host + "]" : Host;
    }
}
