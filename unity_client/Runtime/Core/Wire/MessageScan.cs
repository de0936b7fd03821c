namespace Posestream
{
    /// <summary>Why bytes are not a message.</summary>
    public enum WireError
    {
        None, TooShort, NotOurs, OtherVersion, WrongLength, OtherKind, BadSection, HeadNotFirst, Repeated,
        WrongSize, OutOfRange, NotFinite, Missing, NotText, TooManySections, Unsupported,
    }

    /// <summary>
    /// Finds the sections of a message and checks them against the generated rules. Reused; never allocates
    /// and never throws, whatever the bytes.
    /// </summary>
    public sealed class MessageScan
    {
        private const int MaxRules = 16;
        private readonly int[] _at = new int[MaxRules];
        private readonly int[] _length = new int[MaxRules];
        private byte[] _data;

        /// <summary>Whether section number <paramref name="index"/> of the rule is there.</summary>
        public bool Has(int index) => _length[index] >= 0;

        public int At(int index) => _at[index];

        public int Length(int index) => _length[index];

        /// <summary>The kind of a message whose header is sound, else -1.</summary>
        public static int KindOf(byte[] data, int offset, int count) =>
            CheckHeader(data, offset, count) == WireError.None ? data[offset + 3] : -1;

        public static WireError CheckHeader(byte[] data, int offset, int count)
        {
            if (data == null || offset < 0 || count < Protocol.HeaderBytes || offset > data.Length - count)
            {
                return WireError.TooShort;
            }
            if (data[offset] != Protocol.Magic0 || data[offset + 1] != Protocol.Magic1)
            {
                return WireError.NotOurs;
            }
            if (data[offset + 2] != Protocol.Version)
            {
                return WireError.OtherVersion;
            }
            return count > Protocol.MaxMessageBytes || Little.U32(data, offset + 4) != (uint)count
                ? WireError.WrongLength
                : WireError.None;
        }

        /// <summary>Finds and checks all sections.</summary>
        public WireError Scan(MessageRule rule, byte[] data, int offset, int count)
        {
            WireError error = CheckHeader(data, offset, count);
            if (error != WireError.None)
            {
                return error;
            }
            if (data[offset + 3] != rule.Kind)
            {
                return WireError.OtherKind;
            }
            _data = data;
            for (int i = 0; i < rule.Sections.Length; i++)
            {
                _length[i] = -1;
            }
            error = FindSections(rule, offset + Protocol.HeaderBytes, offset + count);
            return error != WireError.None ? error : CheckComplete(rule);
        }

        private WireError FindSections(MessageRule rule, int at, int end)
        {
            for (int n = 0; n < Protocol.MaxSections; n++)
            {
                if (at == end)
                {
                    return WireError.None;
                }
                if (end - at < Protocol.SectionHeaderBytes)
                {
                    return WireError.BadSection;
                }
                int id = Little.U16(_data, at);
                uint length = Little.U32(_data, at + 4);
                at += Protocol.SectionHeaderBytes;
                if (length > (uint)(end - at))
                {
                    return WireError.BadSection;
                }
                WireError error = Keep(rule, id, at, (int)length);
                if (error != WireError.None)
                {
                    return error;
                }
                at += (int)length;
            }
            return WireError.TooManySections;
        }

        private WireError Keep(MessageRule rule, int id, int at, int length)
        {
            int index = IndexOf(rule, id);
            if (index < 0)
            {
                return WireError.None;
            }
            if (_length[index] >= 0)
            {
                return WireError.Repeated;
            }
            if (index > 0 && _length[0] < 0)
            {
                return WireError.HeadNotFirst;
            }
            _at[index] = at;
            _length[index] = length;
            return Check(rule.Sections[index], at, length);
        }

        private static int IndexOf(MessageRule rule, int id)
        {
            for (int i = 0; i < rule.Sections.Length; i++)
            {
                if (rule.Sections[i].Id == id)
                {
                    return i;
                }
            }
            return -1;
        }

        private WireError Check(SectionRule rule, int at, int length)
        {
            if (rule.IsNameList)
            {
                return CheckNames(rule, at, length);
            }
            if (rule.ElementBytes == 0)
            {
                return length <= rule.MaxBytes ? WireError.None : WireError.WrongSize;
            }
            long elements = (long)CountAt(rule.FirstCountAt) * CountAt(rule.SecondCountAt);
            if (elements * rule.ElementBytes != length)
            {
                return WireError.WrongSize;
            }
            if (rule.Fields != null)
            {
                return CheckRecords(rule, at, (int)elements);
            }
            return rule.Numbers == Numbers.Any || AllFinite(rule.Numbers, at, length)
                ? WireError.None
                : WireError.NotFinite;
        }

        private int CountAt(int offset) => offset < 0 ? 1 : Little.U16(_data, _at[0] + offset);

        private WireError CheckNames(SectionRule rule, int at, int length)
        {
            int end = at + length;
            int count = CountAt(rule.FirstCountAt);
            for (int i = 0; i < count; i++)
            {
                if (end - at < 2)
                {
                    return WireError.WrongSize;
                }
                int size = Little.U16(_data, at);
                at += 2;
                if (size > rule.MaxBytes || size > end - at)
                {
                    return WireError.WrongSize;
                }
                at += size;
            }
            return at == end ? WireError.None : WireError.WrongSize;
        }

        private WireError CheckRecords(SectionRule rule, int at, int count)
        {
            for (int i = 0; i < count; i++, at += rule.ElementBytes)
            {
                for (int f = 0; f < rule.Fields.Length; f++)
                {
                    WireError error = CheckField(rule.Fields[f], at);
                    if (error != WireError.None)
                    {
                        return error;
                    }
                }
            }
            return WireError.None;
        }

        private WireError CheckField(FieldRule rule, int at)
        {
            for (int k = 0; k < rule.Count; k++)
            {
                double value = Read(rule.Type, at + rule.Offset, k);
                if (!Numeric.IsFinite(value))
                {
                    return WireError.NotFinite;
                }
                if (value < rule.Low || value > rule.High)
                {
                    return WireError.OutOfRange;
                }
            }
            return WireError.None;
        }

        private double Read(FieldType type, int at, int k)
        {
            switch (type)
            {
                case FieldType.U8: return _data[at + k];
                case FieldType.U16: return Little.U16(_data, at + 2 * k);
                case FieldType.I16: return Little.I16(_data, at + 2 * k);
                case FieldType.U32: return Little.U32(_data, at + 4 * k);
                case FieldType.I32: return Little.I32(_data, at + 4 * k);
                case FieldType.U64: return Little.U64(_data, at + 8 * k);
                case FieldType.I64: return Little.I64(_data, at + 8 * k);
                case FieldType.F32: return Little.F32(_data, at + 4 * k);
                default: return Little.F64(_data, at + 8 * k);
            }
        }

        private bool AllFinite(Numbers numbers, int at, int length)
        {
            int end = at + length;
            if (numbers == Numbers.FiniteF64)
            {
                for (; at < end; at += 8)
                {
                    if ((Little.U64(_data, at) & 0x7FF0000000000000UL) == 0x7FF0000000000000UL)
                    {
                        return false;
                    }
                }
                return true;
            }
            bool nanAllowed = numbers == Numbers.FiniteOrNanF32;
            for (; at < end; at += 4)
            {
                // the exponent's bits: all set in infinities and NaN
                bool special = (_data[at + 3] & 0x7F) == 0x7F && (_data[at + 2] & 0x80) != 0;
                if (special && !(nanAllowed && (Little.U32(_data, at) & 0x7FFFFF) != 0))
                {
                    return false;
                }
            }
            return true;
        }

        private WireError CheckComplete(MessageRule rule)
        {
            for (int i = 0; i < rule.Sections.Length; i++)
            {
                if (!rule.Sections[i].Optional && _length[i] < 0)
                {
                    return WireError.Missing;
                }
            }
            return WireError.None;
        }
    }
}
