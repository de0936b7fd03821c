using System.Collections.Generic;

namespace Posestream
{
    /// <summary>What comes over the connection.</summary>
    public sealed partial class StreamClient
    {
        private void Take(byte[] data, int count, long nowNs)
        {
            WireError error = WireError.None;
            switch (MessageScan.KindOf(data, 0, count))
            {
                case FrameLayout.Kind:
                    error = TakeFrame(data, count, nowNs);
                    break;
                case ClockReplyLayout.Kind:
                    error = TakeClock(data, count, nowNs);
                    break;
                case HelloLayout.Kind:
                    error = TakeHello(data, count);
                    break;
                case PictureLayout.Kind:
                    error = _pictures.Put(_scan, data, count);
                    break;
                case EventLayout.Kind:
                    EventMessage happened = EventMessage.Decode(data, 0, count, out error);
                    Queue(_events, happened);
                    _tee.Event(happened, data, count);
                    break;
                case ReplyLayout.Kind:
                    Queue(_replies, ReplyMessage.Decode(data, 0, count, out error));
                    break;
                case -1:
                    error = WireError.NotOurs;
                    break;
            }
            if (error == WireError.None)
            {
                return;
            }
            lock (_lock)
            {
                _bad++;
            }
            if (error == WireError.OtherVersion || MessageScan.CheckHeader(data, 0, count) == WireError.OtherVersion)
            {
                throw new StreamException(
                    ConnectionProblem.ProtocolBroken, "The daemon speaks another version of the protocol: update it or this package.");
            }
        }

        private WireError TakeFrame(byte[] data, int count, long nowNs)
        {
            PoseFrame frame = Buffer.Spare;
            WireError error = _decoder.Decode(data, 0, count, frame);
            if (error == WireError.None)
            {
                _backoff.Reset();
                long publishNs = frame.PublishNs;
                Buffer.Push(nowNs);
                _tee.Frame(publishNs, data, count);
            }
            return error;
        }

        private WireError TakeClock(byte[] data, int count, long nowNs)
        {
            ClockReplyMessage reply;
            WireError error = ClockReplyMessage.Decode(_scan, data, 0, count, out reply);
            if (error == WireError.None)
            {
                lock (_lock)
                {
                    _clock.Add(reply, nowNs);
                }
            }
            return error;
        }

        private WireError TakeHello(byte[] data, int count)
        {
            WireError error;
            HelloMessage hello = HelloMessage.Decode(data, 0, count, out error);
            if (hello == null)
            {
                return error;
            }
            if (!hello.BonesMatch)
            {
                throw new StreamException(
                    ConnectionProblem.ProtocolBroken, "The daemon's skeleton is not Unity's humanoid: update it or this package.");
            }
            _hello = hello;
            _tee.Hello(hello.MonotonicNs, data, count);
            return error;
        }

        private void Queue<T>(Queue<T> queue, T message)
            where T : class
        {
            if (message == null)
            {
                return;
            }
            lock (_lock)
            {
                if (queue.Count >= MaxQueued)
                {
                    queue.Dequeue();
                }
                queue.Enqueue(message);
            }
        }
    }
}
