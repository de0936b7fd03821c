using System;

namespace Posestream
{
    /// <summary>Why there is no connection.</summary>
    public enum ConnectionProblem
    {
        None, BadAddress, NobodyThere, TimedOut, TokenRefused, Refused, NotPosestream, Closed, Frozen, ProtocolBroken,
    }

    /// <summary>A connection that could not be made or has ended; the message is for users.</summary>
    public sealed class StreamException : Exception
    {
        public ConnectionProblem Problem { get; private set; }

        public StreamException(ConnectionProblem problem, string message)
            : base(message)
        {
            Problem = problem;
        }
    }

    /// <summary>Whole messages over some connection; used by one thread, closed by any.</summary>
    public interface ITransport : IDisposable
    {
        /// <summary>Throws StreamException.</summary>
        void Connect(StreamAddress address, string resource, string token, int timeoutMs);

        /// <summary>
        /// Waits for a binary message, at most so long. Returns its length in <see cref="Buffer"/>, or -1 if none
        /// came. Throws StreamException when the connection has ended.
        /// </summary>
        int Receive(int timeoutMs);

        byte[] Buffer { get; }

        /// <summary>Sends a binary message. Throws StreamException.</summary>
        void Send(byte[] data, int offset, int count);
    }
}
