using System;
using System.IO;

namespace Posestream
{
    /// <summary>Copies what comes over a connection into a recording, when asked to.</summary>
    internal sealed class MessageTee
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        private readonly object _lock = new object();
        private RecordingWriter _writer;
        private byte[] _hello;
        private long _helloNs;

        public bool Active
        {
            get
            {
                lock (_lock)
                {
                    return _writer != null;
                }
            }
        }

        public void Start(string path)
        {
            FileStream file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            lock (_lock)
            {
                if (_writer != null)
                {
                    _writer.Dispose();
                }
                _writer = new RecordingWriter(file, (DateTime.UtcNow - Epoch).Ticks * 100);
                if (_hello != null)
                {
                    _writer.Write(_helloNs, _hello, 0, _hello.Length, false);
                }
            }
        }

        /// <summary>The number of frames that were recorded.</summary>
        public long Stop()
        {
            lock (_lock)
            {
                long frames = _writer == null ? 0 : _writer.Frames;
                Close();
                return frames;
            }
        }

        public void Hello(long timeNs, byte[] data, int count)
        {
            lock (_lock)
            {
                _hello = new byte[count];
                Buffer.BlockCopy(data, 0, _hello, 0, count);
                _helloNs = timeNs;
                Write(timeNs, data, count, false);
            }
        }

        public void Frame(long timeNs, byte[] data, int count)
        {
            lock (_lock)
            {
                Write(timeNs, data, count, true);
            }
        }

        public void Event(EventMessage message, byte[] data, int count)
        {
            lock (_lock)
            {
                if (message != null)
                {
                    Write(message.TimeNs, data, count, false);
                }
            }
        }

        private void Write(long timeNs, byte[] data, int count, bool isFrame)
        {
            if (_writer == null || (isFrame && _hello == null))
            {
                return;
            }
            try
            {
                _writer.Write(timeNs, data, 0, count, isFrame);
            }
            catch (IOException)
            {
                Close(); // a full disk ends the recording, not the game
            }
        }

        private void Close()
        {
            RecordingWriter writer = _writer;
            _writer = null;
            try
            {
                if (writer != null)
                {
                    writer.Dispose();
                }
            }
            catch (IOException)
            {
                // what was written stays readable without its index
            }
        }
    }
}
