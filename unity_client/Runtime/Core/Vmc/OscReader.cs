namespace Posestream
{
    /// <summary>A stretch of bytes in a datagram.</summary>
    public struct ByteSpan
    {
        public int At;
        public int Count;
    }

    /// <summary>
    /// OSC messages from a datagram, nested bundles included, without allocation. Whatever the bytes, it ends and
    /// does not throw; what is malformed is skipped.
    /// </summary>
    public sealed class OscReader
    {
        private const int MaxDepth = 4;
        private static readonly byte[] BundleTag = { (byte)'#', (byte)'b', (byte)'u', (byte)'n', (byte)'d', (byte)'l', (byte)'e', 0 };
        private readonly int[] _ends = new int[MaxDepth + 1];
        private byte[] _data;
        private int _at;
        private int _depth;
        private int _argsAt;
        private int _argsEnd;
        private int _tagAt;

        public byte[] Data => _data;

        public ByteSpan Address;

        /// <summary>The type tags without their comma.</summary>
        public ByteSpan Tags;

        /// <summary>Elements that were not OSC.</summary>
        public int Malformed { get; private set; }

        public void Begin(byte[] data, int count)
        {
            _data = data;
            _at = 0;
            _depth = 0;
            _ends[0] = count;
            Malformed = 0;
        }

        /// <summary>Goes to the next message; false at the end.</summary>
        public bool Next()
        {
            while (true)
            {
                while (_depth > 0 && _at >= _ends[_depth])
                {
                    _at = _ends[_depth--];
                }
                int end = _ends[_depth];
                if (_at >= end)
                {
                    return false;
                }
                int size = end - _at;
                if (_depth > 0 && !ElementSize(end, out size))
                {
                    _at = end;
                    Malformed++;
                    continue;
                }
                if (IsBundle(_at, size))
                {
                    Enter(size);
                    continue;
                }
                bool good = ReadMessage(_at, _at + size);
                _at += size;
                if (good)
                {
                    return true;
                }
                Malformed++;
            }
        }

        private bool ElementSize(int end, out int size)
        {
            size = 0;
            if (end - _at < 4)
            {
                return false;
            }
            int value = Big32(_at);
            _at += 4;
            if (value <= 0 || value > end - _at)
            {
                return false;
            }
            size = value;
            return true;
        }

        private bool IsBundle(int at, int size)
        {
            if (size < 16)
            {
                return false;
            }
            for (int i = 0; i < 8; i++)
            {
                if (_data[at + i] != BundleTag[i])
                {
                    return false;
                }
            }
            return true;
        }

        private void Enter(int size)
        {
            if (_depth == MaxDepth)
            {
                _at += size;
                Malformed++;
                return;
            }
            _ends[++_depth] = _at + size;
            _at += 16;
        }

        private bool ReadMessage(int at, int end)
        {
            int next;
            if (!ReadString(at, end, out Address, out next) || Address.Count == 0 || _data[Address.At] != '/')
            {
                return false;
            }
            Tags = default(ByteSpan);
            _argsAt = next;
            _argsEnd = end;
            _tagAt = 0;
            if (next >= end)
            {
                return true; // old senders leave out the tags where there are no arguments
            }
            ByteSpan tags;
            if (!ReadString(next, end, out tags, out next) || tags.Count == 0 || _data[tags.At] != ',')
            {
                return false;
            }
            Tags.At = tags.At + 1;
            Tags.Count = tags.Count - 1;
            _argsAt = next;
            return true;
        }

        private bool ReadString(int at, int end, out ByteSpan text, out int next)
        {
            text.At = at;
            int i = at;
            while (i + 3 < end && _data[i + 3] != 0)
            {
                i += 4; // strings end with the first zero, and are filled up with zeros to fours
            }
            while (i < end && _data[i] != 0)
            {
                i++;
            }
            text.Count = i - at;
            next = at + (text.Count / 4 + 1) * 4;
            return i < end && next <= end;
        }

        private bool Tag(char wanted)
        {
            if (_tagAt >= Tags.Count || _data[Tags.At + _tagAt] != wanted)
            {
                return false;
            }
            _tagAt++;
            return true;
        }

        /// <summary>A place among the arguments.</summary>
        public struct Mark
        {
            internal int Args;
            internal int Tag;
        }

        public Mark Remember() => new Mark { Args = _argsAt, Tag = _tagAt };

        public void Return(Mark mark)
        {
            _argsAt = mark.Args;
            _tagAt = mark.Tag;
        }

        /// <summary>The next argument, if it is a string.</summary>
        public bool TakeString(out ByteSpan text)
        {
            text = default(ByteSpan);
            return Tag('s') && ReadString(_argsAt, _argsEnd, out text, out _argsAt);
        }

        /// <summary>The next argument, if it is a finite float.</summary>
        public bool TakeFloat(out float value)
        {
            value = 0f;
            if (_argsEnd - _argsAt < 4 || !Tag('f'))
            {
                return false;
            }
            value = Little.FromBits((uint)Big32(_argsAt));
            _argsAt += 4;
            return Numeric.IsFinite(value);
        }

        /// <summary>The next argument, if it is an integer.</summary>
        public bool TakeInt(out int value)
        {
            value = 0;
            if (_argsEnd - _argsAt < 4 || !Tag('i'))
            {
                return false;
            }
            value = Big32(_argsAt);
            _argsAt += 4;
            return true;
        }

        private int Big32(int at) => _data[at] << 24 | _data[at + 1] << 16 | _data[at + 2] << 8 | _data[at + 3];
    }
}
