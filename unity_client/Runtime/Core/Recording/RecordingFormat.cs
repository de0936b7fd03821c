using System.Text;

namespace Posestream
{
    /// <summary>The layout of .psrec files; see docs/protocol.md.</summary>
    internal static class RecordingFormat
    {
        public const int HeaderBytes = 24;
        public const int EntryHeaderBytes = 16;
        public const int TrailerBytes = 20;
        public const int Version = 1;
        public static readonly byte[] Magic = { (byte)'P', (byte)'S', (byte)'R', (byte)'E', (byte)'C', 13, 10, 26 };
        public static readonly byte[] IndexMagic = Encoding.ASCII.GetBytes("PSINDEX\0");
        public static readonly byte[] TrailerMagic = Encoding.ASCII.GetBytes("PSRECEND");

        public static bool StartsWith(byte[] data, int at, byte[] magic)
        {
            for (int i = 0; i < magic.Length; i++)
            {
                if (data[at + i] != magic[i])
                {
                    return false;
                }
            }
            return true;
        }

        /// <summary>Of an entry's time and payload; the time is in bytes 8 to 15 of its header.</summary>
        public static uint EntryCrc(byte[] header, byte[] payload, int offset, int count) =>
            Crc32.Of(payload, offset, count, Crc32.Of(header, 8, 8, 0));
    }
}
