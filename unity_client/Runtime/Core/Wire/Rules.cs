namespace Posestream
{
    public enum FieldType
    {
        U8, U16, U32, U64, I16, I32, I64, F32, F64,
    }

    /// <summary>What the numbers of an array must be.</summary>
    public enum Numbers
    {
        Any, FiniteF32, FiniteF64, FiniteOrNanF32,
    }

    /// <summary>A field of a record that has bounds; floats must also be finite.</summary>
    public readonly struct FieldRule
    {
        public readonly FieldType Type;
        public readonly int Offset;
        public readonly int Count;
        public readonly double Low;
        public readonly double High;

        public FieldRule(FieldType type, int offset, int count, double low, double high)
        {
            Type = type;
            Offset = offset;
            Count = count;
            Low = low;
            High = high;
        }
    }

    /// <summary>How long a section must be and what may stand in it.</summary>
    public sealed class SectionRule
    {
        public int Id { get; private set; }

        public bool Optional { get; private set; }

        /// <summary>Bytes of one element; 0 where the length is free.</summary>
        public int ElementBytes { get; private set; }

        /// <summary>Where in the head the counts stand, -1 for none.</summary>
        public int FirstCountAt { get; private set; }

        public int SecondCountAt { get; private set; }

        public int MaxBytes { get; private set; }

        public bool IsNameList { get; private set; }

        public Numbers Numbers { get; private set; }

        /// <summary>Null unless the section is a record with bounds.</summary>
        public FieldRule[] Fields { get; private set; }

        private SectionRule(int id, bool optional)
        {
            Id = id;
            Optional = optional;
            FirstCountAt = SecondCountAt = -1;
        }

        public static SectionRule Sized(
            int id, bool optional, int elementBytes, int firstCountAt, int secondCountAt, Numbers numbers, FieldRule[] fields)
        {
            return new SectionRule(id, optional)
            {
                ElementBytes = elementBytes,
                FirstCountAt = firstCountAt,
                SecondCountAt = secondCountAt,
                Numbers = numbers,
                Fields = fields,
            };
        }

        public static SectionRule NameList(int id, bool optional, int countAt, int maxBytes)
        {
            return new SectionRule(id, optional) { FirstCountAt = countAt, MaxBytes = maxBytes, IsNameList = true };
        }

        public static SectionRule Free(int id, bool optional, int maxBytes)
        {
            return new SectionRule(id, optional) { MaxBytes = maxBytes };
        }
    }

    /// <summary>The sections of one kind of message; the first is the head.</summary>
    public sealed class MessageRule
    {
        public readonly byte Kind;
        public readonly SectionRule[] Sections;

        public MessageRule(byte kind, SectionRule[] sections)
        {
            Kind = kind;
            Sections = sections;
        }
    }
}
