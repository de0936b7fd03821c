using System;

namespace Posestream
{
    /// <summary>Frames from bytes, in Unity's axes whatever axes they were sent in. Not for several threads.</summary>
    public sealed class FrameDecoder
    {
        private const int Half = 16383;
        private static readonly float PackedScale = (float)(1.0 / (Half * Math.Sqrt(2.0)));
        private readonly MessageScan _scan = new MessageScan();

        /// <summary>Reads a frame; when it returns an error, <paramref name="into"/> is left as it was.</summary>
        public WireError Decode(byte[] data, int offset, int count, PoseFrame into)
        {
            WireError error = _scan.Scan(FrameLayout.Rule, data, offset, count);
            if (error != WireError.None)
            {
                return error;
            }
            int head = _scan.At(FrameLayout.Frame);
            int people = Little.U16(data, head + FrameLayout.FramePeopleAt);
            bool plain = _scan.Has(FrameLayout.Rotations);
            bool packed = _scan.Has(FrameLayout.RotationsPacked);
            if (plain && packed)
            {
                return WireError.Repeated;
            }
            if (people > 0 && !plain && !packed)
            {
                return WireError.Missing;
            }
            into.Sequence = Little.I64(data, head + FrameLayout.FrameSequenceAt);
            into.CaptureNs = Little.I64(data, head + FrameLayout.FrameTCaptureNsAt);
            into.PublishNs = Little.I64(data, head + FrameLayout.FrameTPublishNsAt);
            into.UtcOffsetNs = Little.I64(data, head + FrameLayout.FrameUtcOffsetNsAt);
            into.SetCount(people);
            bool mirror = data[head + FrameLayout.FrameAxesAt] == (byte)Axes.Gltf;
            for (int i = 0; i < people; i++)
            {
                ReadPerson(data, i, into[i], mirror);
            }
            return WireError.None;
        }

        private void ReadPerson(byte[] data, int index, PersonPose person, bool mirror)
        {
            ReadRecord(data, _scan.At(FrameLayout.People) + index * FrameLayout.PeopleBytes, person, mirror);
            if (_scan.Has(FrameLayout.Rotations))
            {
                ReadRotations(data, _scan.At(FrameLayout.Rotations) + index * Bones.Count * 16, person, mirror);
            }
            else
            {
                ReadPacked(data, _scan.At(FrameLayout.RotationsPacked) + index * Bones.Count * 6, person, mirror);
            }
            person.HasPositions = _scan.Has(FrameLayout.Positions);
            if (person.HasPositions)
            {
                ReadPositions(data, _scan.At(FrameLayout.Positions) + index * Bones.Count * 12, person, mirror);
            }
            ReadExpressions(data, index, person);
        }

        private static void ReadRecord(byte[] data, int at, PersonPose person, bool mirror)
        {
            person.TrackId = Little.I64(data, at + FrameLayout.PeopleTrackIdAt);
            person.Slot = Little.U16(data, at + FrameLayout.PeopleSlotAt);
            person.State = (TrackState)data[at + FrameLayout.PeopleStateAt];
            person.Confidence = Little.F32(data, at + FrameLayout.PeopleConfidenceAt);
            person.HipHeight = Little.F32(data, at + FrameLayout.PeopleHipHeightMAt);
            person.RootPosition = ReadVec(data, at + FrameLayout.PeopleRootPositionAt, mirror);
            person.RootRotation = ReadQuat(data, at + FrameLayout.PeopleRootRotationAt, mirror);
            person.BoneValid = Little.U64(data, at + FrameLayout.PeopleBoneValidAt);
        }

        private static void ReadRotations(byte[] data, int at, PersonPose person, bool mirror)
        {
            Quat[] rotations = person.Rotations;
            for (int bone = 0; bone < Bones.Count; bone++, at += 16)
            {
                rotations[bone] = ReadQuat(data, at, mirror);
            }
        }

        private static void ReadPacked(byte[] data, int at, PersonPose person, bool mirror)
        {
            for (int bone = 0; bone < Bones.Count; bone++, at += 6)
            {
                Quat q = Unpack(Little.U16(data, at), Little.U16(data, at + 2), Little.U16(data, at + 4));
                person.Rotations[bone] = mirror ? q.Reflected : q;
            }
        }

        /// <summary>A unit quaternion from its three smallest components; see docs/protocol.md.</summary>
        public static Quat Unpack(int first, int second, int third)
        {
            int largest = first >> 15 | second >> 15 << 1;
            float a = ((first & 0x7FFF) - Half) * PackedScale;
            float b = ((second & 0x7FFF) - Half) * PackedScale;
            float c = ((third & 0x7FFF) - Half) * PackedScale;
            float rest = 1f - a * a - b * b - c * c;
            float d = rest > 0f ? (float)Math.Sqrt(rest) : 0f;
            switch (largest)
            {
                case 0: return new Quat(d, a, b, c).Normalised;
                case 1: return new Quat(a, d, b, c).Normalised;
                case 2: return new Quat(a, b, d, c).Normalised;
                default: return new Quat(a, b, c, d).Normalised;
            }
        }

        private static void ReadPositions(byte[] data, int at, PersonPose person, bool mirror)
        {
            for (int bone = 0; bone < Bones.Count; bone++, at += 12)
            {
                person.Positions[bone] = ReadVec(data, at, mirror);
            }
        }

        private void ReadExpressions(byte[] data, int index, PersonPose person)
        {
            person.ExpressionCount = 0;
            if (!_scan.Has(FrameLayout.Expressions))
            {
                return;
            }
            int count = Little.U16(data, _scan.At(FrameLayout.Frame) + FrameLayout.FrameExpressionsAt);
            int at = _scan.At(FrameLayout.Expressions) + index * count * 4;
            person.ExpressionCount = count;
            for (int i = 0; i < count; i++)
            {
                person.Expressions[i] = Little.F32(data, at + 4 * i);
            }
        }

        private static Vec3 ReadVec(byte[] data, int at, bool mirror)
        {
            float x = Little.F32(data, at);
            return new Vec3(mirror ? -x : x, Little.F32(data, at + 4), Little.F32(data, at + 8));
        }

        private static Quat ReadQuat(byte[] data, int at, bool mirror)
        {
            Quat q = new Quat(
                Little.F32(data, at), Little.F32(data, at + 4), Little.F32(data, at + 8), Little.F32(data, at + 12));
            float square = Quat.Dot(q, q);
            if (!(square > 0.9999f && square < 1.0001f))
            {
                q = q.Normalised;
            }
            return mirror ? q.Reflected : q;
        }
    }
}
