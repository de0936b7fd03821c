using System;

namespace Posestream
{
    /// <summary>One person at one instant, Unity's axes. Reused: its arrays never change their size.</summary>
    public sealed class PersonPose
    {
        /// <summary>Identity, never reused within a run of the daemon.</summary>
        public long TrackId;

        /// <summary>Smallest free number; stable while the person is there.</summary>
        public int Slot;

        public TrackState State;

        /// <summary>0 to 1; fades while the person is held.</summary>
        public float Confidence;

        /// <summary>Hips above the floor when standing upright, metres.</summary>
        public float HipHeight;

        /// <summary>Of the Hips, metres.</summary>
        public Vec3 RootPosition;

        /// <summary>Of the Hips, in the world.</summary>
        public Quat RootRotation;

        /// <summary>One bit for every bone that is known, lowest first.</summary>
        public ulong BoneValid;

        /// <summary>Normalised local rotations: identity in the T-pose; Hips in the world.</summary>
        public readonly Quat[] Rotations = new Quat[Bones.Count];

        /// <summary>Bones in the world, NaN where unknown; only if <see cref="HasPositions"/>.</summary>
        public readonly Vec3[] Positions = new Vec3[Bones.Count];

        public bool HasPositions;

        /// <summary>Weights from 0 to 1; the first <see cref="ExpressionCount"/> count.</summary>
        public readonly float[] Expressions = new float[Protocol.MaxExpressions];

        public int ExpressionCount;

        public PersonPose()
        {
            Clear();
        }

        public bool IsValid(int bone) => (BoneValid >> bone & 1) != 0;

        /// <summary>Nobody, in the T-pose.</summary>
        public void Clear()
        {
            TrackId = -1;
            Slot = 0;
            State = TrackState.Tracked;
            Confidence = 0f;
            HipHeight = Bones.RestOffset[0].Y;
            RootPosition = Bones.RestOffset[0];
            RootRotation = Quat.Identity;
            BoneValid = 0;
            HasPositions = false;
            ExpressionCount = 0;
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                Rotations[bone] = Quat.Identity;
            }
        }

        /// <summary>Becomes a copy of another person.</summary>
        public void CopyFrom(PersonPose other)
        {
            CopyHeadFrom(other);
            RootPosition = other.RootPosition;
            RootRotation = other.RootRotation;
            HasPositions = other.HasPositions;
            Array.Copy(other.Rotations, Rotations, Bones.Count);
            if (HasPositions)
            {
                Array.Copy(other.Positions, Positions, Bones.Count);
            }
            Array.Copy(other.Expressions, Expressions, ExpressionCount);
        }

        /// <summary>Takes over everything that is not interpolated.</summary>
        public void CopyHeadFrom(PersonPose other)
        {
            TrackId = other.TrackId;
            Slot = other.Slot;
            State = other.State;
            Confidence = other.Confidence;
            HipHeight = other.HipHeight;
            BoneValid = other.BoneValid;
            ExpressionCount = other.ExpressionCount;
        }
    }
}
