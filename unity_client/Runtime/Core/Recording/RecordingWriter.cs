using System;
using System.Collections.Generic;
using System.IO;

namespace Posestream
{
    /// <summary>Writes messages to a .psrec file that the daemon and the player read. Not for several threads.</summary>
    public sealed class RecordingWriter : IDisposable
    {
        private readonly Stream _stream;
        private readonly byte[] _head = new byte[RecordingFormat.HeaderBytes];
        private readonly List<long> _index = new List<long>(4096);
        private long _size;
        private long _lastNs;
        private bool _closed;

        /// <summary>createdUtcNs: when, since 1970.</summary>
        public RecordingWriter(Stream stream, long createdUtcNs)
        {
            _stream = stream;
            Buffer.BlockCopy(RecordingFormat.Magic, 0, _head, 0, 8);
            Little.Put16(_head, 8, RecordingFormat.Version);
            Little.Put16(_head, 10, 0);
            Little.Put64(_head, 12, createdUtcNs);
            Little.Put32(_head, 20, Crc32.Of(_head, 0, 20, 0));
            Append(_head, 0, RecordingFormat.HeaderBytes);
        }

        public long Frames => _index.Count / 2;

        public void Write(long timeNs, byte[] message, int offset, int count, bool isFrame)
        {
            if (isFrame)
            {
                _index.Add(timeNs);
                _index.Add(_size);
            }
            WriteEntry(timeNs, message, offset, count);
            _lastNs = timeNs;
        }

        private void WriteEntry(long timeNs, byte[] data, int offset, int count)
        {
            Little.Put32(_head, 0, (uint)count);
            Little.Put64(_head, 8, timeNs);
            Little.Put32(_head, 4, RecordingFormat.EntryCrc(_head, data, offset, count));
            Append(_head, 0, RecordingFormat.EntryHeaderBytes);
            Append(data, offset, count);
        }

        /// <summary>Writes the index and closes the file.</summary>
        public void Dispose()
        {
            if (_closed)
            {
                return;
            }
            _closed = true;
            long at = _size;
            byte[] table = new byte[8 + _index.Count * 8];
            Buffer.BlockCopy(RecordingFormat.IndexMagic, 0, table, 0, 8);
            for (int i = 0; i < _index.Count; i++)
            {
                Little.Put64(table, 8 + 8 * i, _index[i]);
            }
            WriteEntry(_lastNs, table, 0, table.Length);
            byte[] trailer = new byte[RecordingFormat.TrailerBytes];
            Buffer.BlockCopy(RecordingFormat.TrailerMagic, 0, trailer, 0, 8);
            Little.Put64(trailer, 8, at);
            Little.Put32(trailer, 16, Crc32.Of(trailer, 0, 16, 0));
            Append(trailer, 0, trailer.Length);
            _stream.Dispose();
        }

        private void Append(byte[] data, int offset, int count)
        {
            _stream.Write(data, offset, count);
            _size += count;
        }
    }
}
