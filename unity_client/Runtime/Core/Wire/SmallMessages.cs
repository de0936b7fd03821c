using System.Text;

namespace Posestream
{
    /// <summary>Something happened at the daemon.</summary>
    public sealed class EventMessage
    {
        public EventKind Kind { get; private set; }

        /// <summary>When, sender's clock, ns.</summary>
        public long TimeNs { get; private set; }

        /// <summary>Of the person concerned, -1 for none.</summary>
        public long TrackId { get; private set; }

        /// <summary>Of the person concerned, -1 for none.</summary>
        public int Slot { get; private set; }

        public string Text { get; private set; }

        /// <summary>Reads an event; null and the reason if it is none.</summary>
        public static EventMessage Decode(byte[] data, int offset, int count, out WireError error)
        {
            MessageScan scan = new MessageScan();
            error = scan.Scan(EventLayout.Rule, data, offset, count);
            if (error != WireError.None)
            {
                return null;
            }
            int at = scan.At(EventLayout.Event);
            bool hasText = scan.Has(EventLayout.Text);
            return new EventMessage
            {
                Kind = (EventKind)data[at + EventLayout.EventEventAt],
                TimeNs = Little.I64(data, at + EventLayout.EventTNsAt),
                TrackId = Little.I64(data, at + EventLayout.EventTrackIdAt),
                Slot = Little.I32(data, at + EventLayout.EventSlotAt),
                Text = hasText ? Encoding.UTF8.GetString(data, scan.At(EventLayout.Text), scan.Length(EventLayout.Text)) : "",
            };
        }
    }

    /// <summary>The answer to a request.</summary>
    public sealed class ReplyMessage
    {
        public uint Id { get; private set; }

        public bool Ok { get; private set; }

        /// <summary>Why it was refused.</summary>
        public string Reason { get; private set; }

        /// <summary>What came of it, JSON.</summary>
        public string ResultJson { get; private set; }

        /// <summary>Reads a reply; null and the reason if it is none.</summary>
        public static ReplyMessage Decode(byte[] data, int offset, int count, out WireError error)
        {
            MessageScan scan = new MessageScan();
            error = scan.Scan(ReplyLayout.Rule, data, offset, count);
            if (error != WireError.None)
            {
                return null;
            }
            int at = scan.At(ReplyLayout.Reply);
            return new ReplyMessage
            {
                Id = Little.U32(data, at + ReplyLayout.ReplyIdAt),
                Ok = data[at + ReplyLayout.ReplyOkAt] != 0,
                Reason = Text(data, scan, ReplyLayout.Reason),
                ResultJson = Text(data, scan, ReplyLayout.Result),
            };
        }

        private static string Text(byte[] data, MessageScan scan, int section) =>
            scan.Has(section) ? Encoding.UTF8.GetString(data, scan.At(section), scan.Length(section)) : "";
    }

    /// <summary>The answer to a question for the time.</summary>
    public struct ClockReplyMessage
    {
        public long ClientNs;
        public long ServerReceivedNs;
        public long ServerSentNs;

        public static WireError Decode(MessageScan scan, byte[] data, int offset, int count, out ClockReplyMessage reply)
        {
            reply = default(ClockReplyMessage);
            WireError error = scan.Scan(ClockReplyLayout.Rule, data, offset, count);
            if (error == WireError.None)
            {
                int at = scan.At(ClockReplyLayout.ClockReply);
                reply.ClientNs = Little.I64(data, at + ClockReplyLayout.ClockReplyTClientNsAt);
                reply.ServerReceivedNs = Little.I64(data, at + ClockReplyLayout.ClockReplyTServerReceivedNsAt);
                reply.ServerSentNs = Little.I64(data, at + ClockReplyLayout.ClockReplyTServerSentNsAt);
            }
            return error;
        }
    }

    /// <summary>The camera's picture as JPEG; the buffer is reused.</summary>
    public sealed class PictureMessage
    {
        public long Sequence;

        /// <summary>When the light fell in, sender's clock, ns.</summary>
        public long CaptureNs;

        public int WidthPx;
        public int HeightPx;

        /// <summary>The first <see cref="JpegBytes"/> bytes count.</summary>
        public byte[] Jpeg = new byte[0];

        public int JpegBytes;

        public WireError Decode(MessageScan scan, byte[] data, int offset, int count)
        {
            WireError error = scan.Scan(PictureLayout.Rule, data, offset, count);
            if (error != WireError.None)
            {
                return error;
            }
            int at = scan.At(PictureLayout.Picture);
            Sequence = Little.I64(data, at + PictureLayout.PictureSequenceAt);
            CaptureNs = Little.I64(data, at + PictureLayout.PictureTCaptureNsAt);
            WidthPx = (int)Little.U32(data, at + PictureLayout.PictureWidthPxAt);
            HeightPx = (int)Little.U32(data, at + PictureLayout.PictureHeightPxAt);
            JpegBytes = scan.Length(PictureLayout.Jpeg);
            if (Jpeg.Length < JpegBytes)
            {
                Jpeg = new byte[JpegBytes + JpegBytes / 4];
            }
            System.Buffer.BlockCopy(data, scan.At(PictureLayout.Jpeg), Jpeg, 0, JpegBytes);
            return WireError.None;
        }

        /// <summary>The JPEG alone, in an array of its own.</summary>
        public byte[] ToArray()
        {
            byte[] copy = new byte[JpegBytes];
            System.Buffer.BlockCopy(Jpeg, 0, copy, 0, JpegBytes);
            return copy;
        }
    }
}
