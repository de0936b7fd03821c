using System.Runtime.InteropServices;

namespace Posestream
{
    /// <summary>Little-endian numbers in byte arrays, on any machine, without allocation.</summary>
    public static class Little
    {
        [StructLayout(LayoutKind.Explicit)]
        private struct Single32
        {
            [FieldOffset(0)] public uint Bits;
            [FieldOffset(0)] public float Value;
        }

        [StructLayout(LayoutKind.Explicit)]
        private struct Double64
        {
            [FieldOffset(0)] public ulong Bits;
            [FieldOffset(0)] public double Value;
        }

        public static ushort U16(byte[] data, int at) => (ushort)(data[at] | data[at + 1] << 8);

        public static short I16(byte[] data, int at) => (short)U16(data, at);

        public static uint U32(byte[] data, int at) =>
            (uint)(data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24);

        public static int I32(byte[] data, int at) => (int)U32(data, at);

        public static ulong U64(byte[] data, int at) => U32(data, at) | (ulong)U32(data, at + 4) << 32;

        public static long I64(byte[] data, int at) => (long)U64(data, at);

        public static float F32(byte[] data, int at)
        {
            Single32 both = default(Single32);
            both.Bits = U32(data, at);
            return both.Value;
        }

        public static double F64(byte[] data, int at)
        {
            Double64 both = default(Double64);
            both.Bits = U64(data, at);
            return both.Value;
        }

        public static uint Bits(float value)
        {
            Single32 both = default(Single32);
            both.Value = value;
            return both.Bits;
        }

        /// <summary>The float with these bits.</summary>
        public static float FromBits(uint bits)
        {
            Single32 both = default(Single32);
            both.Bits = bits;
            return both.Value;
        }

        public static void Put16(byte[] data, int at, int value)
        {
            data[at] = (byte)value;
            data[at + 1] = (byte)(value >> 8);
        }

        public static void Put32(byte[] data, int at, uint value)
        {
            Put16(data, at, (int)(value & 0xFFFF));
            Put16(data, at + 2, (int)(value >> 16));
        }

        public static void Put64(byte[] data, int at, long value)
        {
            Put32(data, at, (uint)value);
            Put32(data, at + 4, (uint)((ulong)value >> 32));
        }

        public static void PutF32(byte[] data, int at, float value) => Put32(data, at, Bits(value));
    }
}
