using System.Text;

namespace Posestream
{
    /// <summary>Numbers of names that stand in byte arrays, without making strings.</summary>
    public sealed class NameTable
    {
        private readonly byte[][] _names;
        private readonly int[] _slots;

        public NameTable(string[] names)
        {
            int size = 16;
            while (size < names.Length * 3)
            {
                size *= 2;
            }
            _slots = new int[size];
            _names = new byte[names.Length][];
            for (int i = 0; i < names.Length; i++)
            {
                _names[i] = Encoding.UTF8.GetBytes(names[i]);
                int slot = Slot(_names[i], 0, _names[i].Length);
                while (_slots[slot] != 0)
                {
                    slot = (slot + 1) & (size - 1);
                }
                _slots[slot] = i + 1;
            }
        }

        /// <summary>The name's number, -1 if it is not among them.</summary>
        public int Find(byte[] data, ByteSpan name)
        {
            int slot = Slot(data, name.At, name.Count);
            while (_slots[slot] != 0)
            {
                int index = _slots[slot] - 1;
                if (Same(_names[index], data, name))
                {
                    return index;
                }
                slot = (slot + 1) & (_slots.Length - 1);
            }
            return -1;
        }

        private int Slot(byte[] data, int at, int count)
        {
            // a few letters tell these names apart; the comparison decides
            uint hash = (uint)count;
            for (int i = count - 1; i >= 0; i -= 3)
            {
                hash = (hash ^ data[at + i]) * 16777619;
            }
            hash ^= hash >> 15;
            return (int)(hash & (uint)(_slots.Length - 1));
        }

        private static bool Same(byte[] a, byte[] data, ByteSpan b)
        {
            if (a.Length != b.Count)
            {
                return false;
            }
            for (int i = 0; i < a.Length; i++)
            {
                if (a[i] != data[b.At + i])
                {
                    return false;
                }
            }
            return true;
        }
    }
}
