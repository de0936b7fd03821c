// Written by tools/generate_csharp.py from posestream/wire/schema.py. Do not edit.
namespace Posestream
{
    /// <summary>The coordinate system of positions and rotations.</summary>
    public enum Axes : byte
    {
        Unity = 0,
        Gltf = 1,
    }

    /// <summary>How bone rotations are written in binary frames.</summary>
    public enum Rotations : byte
    {
        Float32 = 0,
        Packed = 1,
    }

    /// <summary>What is known of a person in this frame.</summary>
    public enum TrackState : byte
    {
        Tracked = 0,
        Held = 1,
        Lost = 2,
    }

    /// <summary>What happened.</summary>
    public enum EventKind : byte
    {
        PersonAppeared = 1,
        PersonLost = 2,
        CalibrationChanged = 3,
        SourceLost = 4,
        SourceRecovered = 5,
        RecordingStopped = 6,
    }

    /// <summary>Numbers and names of the protocol.</summary>
    public static class Protocol
    {
        public const byte Version = 1;
        public const byte Magic0 = 80;
        public const byte Magic1 = 83;
        public const int HeaderBytes = 8;
        public const int SectionHeaderBytes = 8;
        public const string Subprotocol = "posestream.v1";
        public const int MaxMessageBytes = 8388608;
        public const int MaxPeople = 64;
        public const int MaxBones = 128;
        public const int MaxExpressions = 256;
        public const int MaxSections = 64;
        public const int MaxTokenBytes = 256;
        public const int MaxControlBytes = 16384;
        public const int MaxReplyBytes = 65536;
    }

    /// <summary>hello (server).</summary>
    public static class HelloLayout
    {
        public const byte Kind = 1;
        public const int Hello = 0;
        public const int HelloId = 1;
        public const int DaemonVersion = 1;
        public const int DaemonVersionId = 2;
        public const int Convention = 2;
        public const int ConventionId = 3;
        public const int BoneNames = 3;
        public const int BoneNamesId = 4;
        public const int Parents = 4;
        public const int ParentsId = 5;
        public const int RestOffsets = 5;
        public const int RestOffsetsId = 6;
        public const int ExpressionNames = 6;
        public const int ExpressionNamesId = 7;
        public const int Camera = 7;
        public const int CameraId = 8;
        public const int Distortion = 8;
        public const int DistortionId = 9;
        public const int HelloBytes = 36;
        public const int HelloTMonotonicNsAt = 0;
        public const int HelloUtcOffsetNsAt = 8;
        public const int HelloSourceFpsAt = 16;
        public const int HelloBonesAt = 24;
        public const int HelloExpressionsAt = 26;
        public const int HelloSlotsAt = 28;
        public const int HelloDistortionAt = 30;
        public const int HelloAxesAt = 32;
        public const int HelloRotationsAt = 33;
        public const int HelloPositionsAt = 34;
        public const int CameraBytes = 208;
        public const int CameraWidthPxAt = 0;
        public const int CameraHeightPxAt = 4;
        public const int CameraKPxAt = 8;
        public const int CameraTWorldCamAt = 80;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 36, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.F64, 16, 1, 0, double.PositiveInfinity),
                    new FieldRule(FieldType.U16, 24, 1, double.NegativeInfinity, 128),
                    new FieldRule(FieldType.U16, 26, 1, double.NegativeInfinity, 256),
                    new FieldRule(FieldType.U16, 30, 1, double.NegativeInfinity, 14),
                    new FieldRule(FieldType.U8, 32, 1, 0, 1),
                    new FieldRule(FieldType.U8, 33, 1, 0, 1),
                    new FieldRule(FieldType.U8, 34, 1, 0, 1),
                }),
            SectionRule.Free(2, false, 64),
            SectionRule.Free(3, false, 512),
            SectionRule.NameList(4, false, 24, 128),
            SectionRule.Sized(5, false, 2, 24, -1, Numbers.Any, null),
            SectionRule.Sized(6, false, 12, 24, -1, Numbers.FiniteF32, null),
            SectionRule.NameList(7, false, 26, 128),
            SectionRule.Sized(8, false, 208, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.U32, 0, 1, double.NegativeInfinity, 65536),
                    new FieldRule(FieldType.U32, 4, 1, double.NegativeInfinity, 65536),
                    new FieldRule(FieldType.F64, 8, 9, double.NegativeInfinity, double.PositiveInfinity),
                    new FieldRule(FieldType.F64, 80, 16, double.NegativeInfinity, double.PositiveInfinity),
                }),
            SectionRule.Sized(9, false, 8, 30, -1, Numbers.FiniteF64, null),
        });
    }

    /// <summary>frame (server).</summary>
    public static class FrameLayout
    {
        public const byte Kind = 2;
        public const int Frame = 0;
        public const int FrameId = 1;
        public const int People = 1;
        public const int PeopleId = 2;
        public const int Rotations = 2;
        public const int RotationsId = 3;
        public const int RotationsPacked = 3;
        public const int RotationsPackedId = 4;
        public const int Positions = 4;
        public const int PositionsId = 5;
        public const int Expressions = 5;
        public const int ExpressionsId = 6;
        public const int FrameBytes = 40;
        public const int FrameSequenceAt = 0;
        public const int FrameTCaptureNsAt = 8;
        public const int FrameTPublishNsAt = 16;
        public const int FrameUtcOffsetNsAt = 24;
        public const int FramePeopleAt = 32;
        public const int FrameBonesAt = 34;
        public const int FrameExpressionsAt = 36;
        public const int FrameAxesAt = 38;
        public const int PeopleBytes = 56;
        public const int PeopleTrackIdAt = 0;
        public const int PeopleSlotAt = 8;
        public const int PeopleStateAt = 10;
        public const int PeopleConfidenceAt = 12;
        public const int PeopleHipHeightMAt = 16;
        public const int PeopleRootPositionAt = 20;
        public const int PeopleRootRotationAt = 32;
        public const int PeopleBoneValidAt = 48;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 40, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.U16, 32, 1, double.NegativeInfinity, 64),
                    new FieldRule(FieldType.U16, 34, 1, 55, 55),
                    new FieldRule(FieldType.U16, 36, 1, double.NegativeInfinity, 256),
                    new FieldRule(FieldType.U8, 38, 1, 0, 1),
                }),
            SectionRule.Sized(2, false, 56, 32, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.U8, 10, 1, 0, 2),
                    new FieldRule(FieldType.F32, 12, 1, 0, 1),
                    new FieldRule(FieldType.F32, 16, 1, double.NegativeInfinity, double.PositiveInfinity),
                    new FieldRule(FieldType.F32, 20, 3, double.NegativeInfinity, double.PositiveInfinity),
                    new FieldRule(FieldType.F32, 32, 4, double.NegativeInfinity, double.PositiveInfinity),
                }),
            SectionRule.Sized(3, true, 16, 32, 34, Numbers.FiniteF32, null),
            SectionRule.Sized(4, true, 6, 32, 34, Numbers.Any, null),
            SectionRule.Sized(5, true, 12, 32, 34, Numbers.FiniteOrNanF32, null),
            SectionRule.Sized(6, true, 4, 32, 36, Numbers.FiniteF32, null),
        });
    }

    /// <summary>event (server).</summary>
    public static class EventLayout
    {
        public const byte Kind = 3;
        public const int Event = 0;
        public const int EventId = 1;
        public const int Text = 1;
        public const int TextId = 2;
        public const int EventBytes = 24;
        public const int EventTNsAt = 0;
        public const int EventTrackIdAt = 8;
        public const int EventSlotAt = 16;
        public const int EventEventAt = 20;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 24, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.U8, 20, 1, 1, 6),
                }),
            SectionRule.Free(2, true, 1024),
        });
    }

    /// <summary>clock_request (client).</summary>
    public static class ClockRequestLayout
    {
        public const byte Kind = 4;
        public const int ClockRequest = 0;
        public const int ClockRequestId = 1;
        public const int ClockRequestBytes = 8;
        public const int ClockRequestTClientNsAt = 0;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 8, -1, -1, Numbers.Any, null),
        });
    }

    /// <summary>clock_reply (server).</summary>
    public static class ClockReplyLayout
    {
        public const byte Kind = 5;
        public const int ClockReply = 0;
        public const int ClockReplyId = 1;
        public const int ClockReplyBytes = 32;
        public const int ClockReplyTClientNsAt = 0;
        public const int ClockReplyTServerReceivedNsAt = 8;
        public const int ClockReplyTServerSentNsAt = 16;
        public const int ClockReplyUtcOffsetNsAt = 24;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 32, -1, -1, Numbers.Any, null),
        });
    }

    /// <summary>control (client).</summary>
    public static class ControlLayout
    {
        public const byte Kind = 6;
        public const int Control = 0;
        public const int ControlId = 1;
        public const int Name = 1;
        public const int NameId = 2;
        public const int Payload = 2;
        public const int PayloadId = 3;
        public const int Token = 3;
        public const int TokenId = 4;
        public const int ControlBytes = 4;
        public const int ControlIdAt = 0;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 4, -1, -1, Numbers.Any, null),
            SectionRule.Free(2, false, 64),
            SectionRule.Free(3, true, 16384),
            SectionRule.Free(4, true, 256),
        });
    }

    /// <summary>reply (server).</summary>
    public static class ReplyLayout
    {
        public const byte Kind = 7;
        public const int Reply = 0;
        public const int ReplyId = 1;
        public const int Reason = 1;
        public const int ReasonId = 2;
        public const int Result = 2;
        public const int ResultId = 3;
        public const int ReplyBytes = 8;
        public const int ReplyIdAt = 0;
        public const int ReplyOkAt = 4;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 8, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.U8, 4, 1, 0, 1),
                }),
            SectionRule.Free(2, true, 4096),
            SectionRule.Free(3, true, 65536),
        });
    }

    /// <summary>picture (server).</summary>
    public static class PictureLayout
    {
        public const byte Kind = 8;
        public const int Picture = 0;
        public const int PictureId = 1;
        public const int Jpeg = 1;
        public const int JpegId = 2;
        public const int PictureBytes = 24;
        public const int PictureSequenceAt = 0;
        public const int PictureTCaptureNsAt = 8;
        public const int PictureWidthPxAt = 16;
        public const int PictureHeightPxAt = 20;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 24, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.U32, 16, 1, double.NegativeInfinity, 65536),
                    new FieldRule(FieldType.U32, 20, 1, double.NegativeInfinity, 65536),
                }),
            SectionRule.Free(2, false, 8384512),
        });
    }

    /// <summary>subscribe (client).</summary>
    public static class SubscribeLayout
    {
        public const byte Kind = 9;
        public const int Subscribe = 0;
        public const int SubscribeId = 1;
        public const int Token = 1;
        public const int TokenId = 2;
        public const int SubscribeBytes = 12;
        public const int SubscribeIdAt = 0;
        public const int SubscribeRateHzAt = 4;
        public const int SubscribeAxesAt = 8;
        public const int SubscribeRotationsAt = 9;
        public const int SubscribePositionsAt = 10;
        public const int SubscribePictureAt = 11;
        public static readonly MessageRule Rule = new MessageRule(Kind, new[]
        {
            SectionRule.Sized(1, false, 12, -1, -1, Numbers.Any, new[]
                {
                    new FieldRule(FieldType.F32, 4, 1, 0, 1000),
                    new FieldRule(FieldType.U8, 8, 1, 0, 1),
                    new FieldRule(FieldType.U8, 9, 1, 0, 1),
                    new FieldRule(FieldType.U8, 10, 1, 0, 1),
                    new FieldRule(FieldType.U8, 11, 1, 0, 1),
                }),
            SectionRule.Free(2, true, 256),
        });
    }
}
