namespace Posestream
{
    /// <summary>The last pictures, so that the one that belongs to the shown pose can be found.</summary>
    public sealed class PictureRing
    {
        private const int Kept = 12;
        private readonly object _lock = new object();
        private PictureMessage[] _pictures = new PictureMessage[Kept];
        private PictureMessage _spare = new PictureMessage();
        private int _count;

        public long Received { get; private set; }

        public WireError Put(MessageScan scan, byte[] data, int count)
        {
            WireError error = _spare.Decode(scan, data, 0, count);
            if (error != WireError.None)
            {
                return error;
            }
            lock (_lock)
            {
                Received++;
                PictureMessage picture = _spare;
                if (_count > 0 && picture.CaptureNs < _pictures[_count - 1].CaptureNs)
                {
                    _count = 0; // the source has begun anew
                }
                if (_count < Kept)
                {
                    _spare = _pictures[_count] ?? new PictureMessage();
                    _pictures[_count++] = picture;
                    return error;
                }
                _spare = _pictures[0];
                System.Array.Copy(_pictures, 1, _pictures, 0, Kept - 1);
                _pictures[Kept - 1] = picture;
            }
            return error;
        }

        /// <summary>Capture time of the newest picture that was taken no later; false if there is none.</summary>
        public bool NewestBefore(long captureNs, out long pictureNs)
        {
            lock (_lock)
            {
                for (int i = _count - 1; i >= 0; i--)
                {
                    if (_pictures[i].CaptureNs <= captureNs)
                    {
                        pictureNs = _pictures[i].CaptureNs;
                        return true;
                    }
                }
            }
            pictureNs = 0;
            return false;
        }

        /// <summary>A copy of the picture that was taken then; null if it is gone.</summary>
        public PictureMessage Copy(long captureNs)
        {
            lock (_lock)
            {
                for (int i = _count - 1; i >= 0; i--)
                {
                    PictureMessage p = _pictures[i];
                    if (p.CaptureNs == captureNs)
                    {
                        byte[] jpeg = p.ToArray();
                        return new PictureMessage
                        {
                            Sequence = p.Sequence, CaptureNs = p.CaptureNs, WidthPx = p.WidthPx, HeightPx = p.HeightPx,
                            Jpeg = jpeg, JpegBytes = jpeg.Length,
                        };
                    }
                }
            }
            return null;
        }
    }
}
