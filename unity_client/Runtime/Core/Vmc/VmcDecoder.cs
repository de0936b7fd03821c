using System.Collections.Generic;
using System.Text;

namespace Posestream
{
    /// <summary>
    /// One performer's VMC messages to poses, without sockets. Frames may come in several bundles and in any order of
    /// messages: a frame is complete when Blend/Apply follows bones, when the time changes or when a bone comes again.
    /// Bones that a frame lacks keep their last rotation.
    /// </summary>
    public sealed class VmcDecoder
    {
        private const int Ok = 0;
        private const int Time = 1;
        private const int Root = 2;
        private const int Bone = 3;
        private const int BlendValue = 4;
        private const int BlendApply = 5;
        private const float LegsToHips = 0.92f / 0.84f; // of our own skeleton: hips above the floor over thigh, shank and hip
        private static readonly NameTable Addresses = new NameTable(new[]
        {
            "/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Root/Pos", "/VMC/Ext/Bone/Pos", "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply",
        });

        private static readonly NameTable BoneNames = new NameTable(Bones.Names);
        private readonly OscReader _reader = new OscReader();
        private readonly PersonPose _pose = new PersonPose();
        private readonly List<byte[]> _expressionBytes = new List<byte[]>();
        private readonly List<string> _expressionNames = new List<string>();
        private readonly Vec3[] _offset = new Vec3[Bones.Count];
        private Vec3 _rootPosition;
        private Quat _rootRotation = Quat.Identity;
        private ulong _seen;
        private float _time;
        private bool _hasTime;
        private bool _complete;

        /// <summary>Whether the sender says that somebody is tracked.</summary>
        public bool Tracking { get; private set; } = true;

        /// <summary>Messages that were not understood, of any kind.</summary>
        public long Ignored { get; private set; }

        public bool HasTime => _hasTime;

        /// <summary>The sender's time of the frame under way, seconds.</summary>
        public float TimeS => _time;

        /// <summary>Names of the expressions in the order of their weights; grows as new ones come.</summary>
        public IList<string> ExpressionNames => _expressionNames;

        /// <summary>Whether bones have come that no frame has taken yet.</summary>
        public bool Pending => _seen != 0;

        /// <summary>Begins a datagram; then call <see cref="Next"/> until it returns false.</summary>
        public void Begin(byte[] data, int count) => _reader.Begin(data, count);

        /// <summary>Reads on. True: a frame is complete, take it with <see cref="Take"/> and go on.</summary>
        public bool Next()
        {
            if (_replay)
            {
                _replay = false;
                Apply(_replayKind);
            }
            while (_reader.Next())
            {
                int kind = Addresses.Find(_reader.Data, _reader.Address);
                if (kind < 0)
                {
                    Ignored++;
                    continue;
                }
                if (StartsAnew(kind))
                {
                    // the message belongs to the next frame: read it after this one was taken
                    _replay = true;
                    _replayKind = kind;
                    return true;
                }
                Apply(kind);
                if (_complete)
                {
                    _complete = false;
                    return true;
                }
            }
            return false;
        }

        private bool _replay;
        private int _replayKind;

        private bool StartsAnew(int kind) => _seen != 0 && (kind == Ok || kind == Time || (kind == Bone && PeekSeen()));

        private bool PeekSeen()
        {
            OscReader.Mark mark = _reader.Remember();
            ByteSpan name;
            int bone = _reader.TakeString(out name) ? BoneNames.Find(_reader.Data, name) : -1;
            _reader.Return(mark);
            return bone >= 0 && (_seen >> bone & 1) != 0;
        }

        private void Apply(int kind)
        {
            switch (kind)
            {
                case Ok: ReadOk(); break;
                case Time: ReadTime(); break;
                case Root: ReadRoot(); break;
                case Bone: ReadBone(); break;
                case BlendValue: ReadBlend(); break;
                case BlendApply: _complete = _seen != 0; break;
            }
        }

        private void ReadOk()
        {
            int loaded, state, mode, tracking;
            if (!_reader.TakeInt(out loaded))
            {
                return;
            }
            bool all = _reader.TakeInt(out state) && _reader.TakeInt(out mode) && _reader.TakeInt(out tracking) && tracking == 0;
            Tracking = loaded != 0 && !all;
        }

        private void ReadTime()
        {
            float time;
            if (_reader.TakeFloat(out time))
            {
                _time = time;
                _hasTime = true;
            }
        }

        private bool TakePose(out ByteSpan name, out Vec3 position, out Quat rotation)
        {
            float px = 0, py = 0, pz = 0, x = 0, y = 0, z = 0, w = 0;
            bool good = _reader.TakeString(out name) && _reader.TakeFloat(out px) && _reader.TakeFloat(out py)
                && _reader.TakeFloat(out pz) && _reader.TakeFloat(out x) && _reader.TakeFloat(out y)
                && _reader.TakeFloat(out z) && _reader.TakeFloat(out w);
            position = new Vec3(px, py, pz);
            rotation = new Quat(x, y, z, w).Normalised;
            return good;
        }

        private void ReadRoot()
        {
            ByteSpan name;
            Vec3 position;
            Quat rotation;
            if (TakePose(out name, out position, out rotation))
            {
                _rootPosition = position;
                _rootRotation = rotation;
            }
            else
            {
                Ignored++;
            }
        }

        private void ReadBone()
        {
            ByteSpan name;
            Vec3 position;
            Quat rotation;
            int bone = -1;
            if (TakePose(out name, out position, out rotation))
            {
                bone = BoneNames.Find(_reader.Data, name);
            }
            if (bone < 0)
            {
                Ignored++;
                return;
            }
            _seen |= 1UL << bone;
            _offset[bone] = position;
            _pose.Rotations[bone] = rotation;
        }

        private void ReadBlend()
        {
            ByteSpan name;
            float value;
            if (!_reader.TakeString(out name) || !_reader.TakeFloat(out value))
            {
                Ignored++;
                return;
            }
            int index = Expression(name);
            if (index >= 0)
            {
                _pose.Expressions[index] = Numeric.Clamp01(value);
            }
        }

        private int Expression(ByteSpan name)
        {
            for (int i = 0; i < _expressionBytes.Count; i++)
            {
                if (Same(_expressionBytes[i], name))
                {
                    return i;
                }
            }
            if (_expressionBytes.Count >= Protocol.MaxExpressions || name.Count > 128)
            {
                return -1;
            }
            byte[] bytes = new byte[name.Count];
            System.Buffer.BlockCopy(_reader.Data, name.At, bytes, 0, name.Count);
            _expressionBytes.Add(bytes);
            _expressionNames.Add(Encoding.UTF8.GetString(bytes));
            _pose.ExpressionCount = _expressionBytes.Count;
            return _expressionBytes.Count - 1;
        }

        private bool Same(byte[] a, ByteSpan b)
        {
            if (a.Length != b.Count)
            {
                return false;
            }
            for (int i = 0; i < a.Length; i++)
            {
                if (a[i] != _reader.Data[b.At + i])
                {
                    return false;
                }
            }
            return true;
        }

        /// <summary>The frame so far as one person.</summary>
        public void Take(PersonPose into)
        {
            _pose.BoneValid |= _seen;
            _seen = 0;
            _pose.HipHeight = HipHeight();
            into.CopyFrom(_pose);
            into.State = Tracking ? TrackState.Tracked : TrackState.Held;
            into.Confidence = Tracking ? 1f : 0f;
            into.RootRotation = _rootRotation * _pose.Rotations[Bones.Hips];
            into.Rotations[Bones.Hips] = into.RootRotation;
            into.RootPosition = _rootPosition + _rootRotation * _offset[Bones.Hips];
            into.HasPositions = false;
        }

        /// <summary>From the leg's bones, as the protocol does not carry it.</summary>
        private float HipHeight()
        {
            float legs = -_offset[Bones.LeftUpperLeg].Y + _offset[Bones.LeftLowerLeg].Length + _offset[Bones.LeftFoot].Length;
            return legs > 0.1f ? legs * LegsToHips : Bones.RestOffset[Bones.Hips].Y;
        }
    }
}
