namespace Posestream
{
    /// <summary>
    /// The server's clock from question and answer. Of the last exchanges the quickest is believed: its two ways can
    /// differ least. Not for several threads.
    /// </summary>
    public sealed class ClockSync
    {
        private const int Kept = 16;
        private readonly double[] _offset = new double[Kept];
        private readonly long[] _roundTrip = new long[Kept];
        private int _next;
        private int _count;

        public bool Known => _count > 0;

        /// <summary>Server's clock minus ours, ns.</summary>
        public double OffsetNs { get; private set; }

        /// <summary>Of the quickest exchange, ns: the offset is right within half of it.</summary>
        public long RoundTripNs { get; private set; }

        public void Reset()
        {
            _count = _next = 0;
            OffsetNs = 0;
            RoundTripNs = 0;
        }

        /// <summary>Takes an answer; one that cannot be (time ran backwards) is ignored.</summary>
        public bool Add(ClockReplyMessage reply, long receivedNs)
        {
            long serverTime = reply.ServerSentNs - reply.ServerReceivedNs;
            long roundTrip = receivedNs - reply.ClientNs - serverTime;
            if (roundTrip < 0 || serverTime < 0 || reply.ClientNs > receivedNs)
            {
                return false;
            }
            double there = (double)reply.ServerReceivedNs - reply.ClientNs;
            double back = (double)reply.ServerSentNs - receivedNs;
            _offset[_next] = (there + back) * 0.5;
            _roundTrip[_next] = roundTrip;
            _next = (_next + 1) % Kept;
            _count = _count < Kept ? _count + 1 : Kept;
            Choose();
            return true;
        }

        private void Choose()
        {
            int best = 0;
            for (int i = 1; i < _count; i++)
            {
                if (_roundTrip[i] < _roundTrip[best])
                {
                    best = i;
                }
            }
            OffsetNs = _offset[best];
            RoundTripNs = _roundTrip[best];
        }
    }
}
