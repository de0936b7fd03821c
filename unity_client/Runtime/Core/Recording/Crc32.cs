namespace Posestream
{
    /// <summary>The CRC-32 of zlib.</summary>
    public static class Crc32
    {
        private static readonly uint[] Table = MakeTable();

        private static uint[] MakeTable()
        {
            uint[] table = new uint[256];
            for (uint n = 0; n < 256; n++)
            {
                uint c = n;
                for (int k = 0; k < 8; k++)
                {
                    c = (c & 1) != 0 ? 0xEDB88320u ^ c >> 1 : c >> 1;
                }
                table[n] = c;
            }
            return table;
        }

        /// <summary>The checksum of what came before (0 at first) and these bytes.</summary>
        public static uint Of(byte[] data, int offset, int count, uint before)
        {
            uint c = ~before;
            for (int i = offset; i < offset + count; i++)
            {
                c = Table[(c ^ data[i]) & 0xFF] ^ c >> 8;
            }
            return ~c;
        }
    }
}
