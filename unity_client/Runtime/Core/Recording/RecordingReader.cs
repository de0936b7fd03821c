using System;
using System.IO;

namespace Posestream
{
    /// <summary>Reads .psrec files entry by entry; a damaged tail ends it as if the file ended there.</summary>
    public sealed class RecordingReader : IDisposable
    {
        private readonly Stream _stream;
        private readonly byte[] _head = new byte[RecordingFormat.HeaderBytes];

        /// <summary>Throws InvalidDataException for what is no recording.</summary>
        public RecordingReader(Stream stream)
        {
            _stream = stream;
            bool whole = ReadAll(_head, RecordingFormat.HeaderBytes);
            if (!whole || !RecordingFormat.StartsWith(_head, 0, RecordingFormat.Magic))
            {
                throw new InvalidDataException("This is not a posestream recording (.psrec).");
            }
            if (Little.U16(_head, 8) != RecordingFormat.Version)
            {
                throw new InvalidDataException("The recording has another format: update this package.");
            }
            if (Crc32.Of(_head, 0, 20, 0) != Little.U32(_head, 20))
            {
                throw new InvalidDataException("The recording's header is damaged.");
            }
            CreatedUtcNs = Little.I64(_head, 12);
        }

        /// <summary>When it was made, since 1970.</summary>
        public long CreatedUtcNs { get; private set; }

        /// <summary>The message of the last entry read; the first <see cref="Count"/> bytes count.</summary>
        public byte[] Data { get; private set; } = new byte[16 << 10];

        public int Count { get; private set; }

        public long TimeNs { get; private set; }

        /// <summary>The next message; false at the end.</summary>
        public bool Read()
        {
            if (!ReadAll(_head, RecordingFormat.EntryHeaderBytes) || RecordingFormat.StartsWith(_head, 0, RecordingFormat.TrailerMagic))
            {
                return false;
            }
            uint length = Little.U32(_head, 0);
            if (length > Protocol.MaxMessageBytes || length > _stream.Length - _stream.Position)
            {
                return false;
            }
            if (Data.Length < length)
            {
                Data = new byte[length + length / 2];
            }
            Count = (int)length;
            TimeNs = Little.I64(_head, 8);
            if (!ReadAll(Data, Count) || RecordingFormat.EntryCrc(_head, Data, 0, Count) != Little.U32(_head, 4))
            {
                return false;
            }
            bool isIndex = Count >= 8 && RecordingFormat.StartsWith(Data, 0, RecordingFormat.IndexMagic);
            return !isIndex;
        }

        /// <summary>Back to the first entry.</summary>
        public void Rewind() => _stream.Position = RecordingFormat.HeaderBytes;

        public void Dispose() => _stream.Dispose();

        private bool ReadAll(byte[] into, int count)
        {
            int have = 0;
            while (have < count)
            {
                int n = _stream.Read(into, have, count - have);
                if (n <= 0)
                {
                    return false;
                }
                have += n;
            }
            return true;
        }
    }
}
