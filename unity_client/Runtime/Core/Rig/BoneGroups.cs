using System;

namespace Posestream
{
    /// <summary>Parts of the body that can be left to something else.</summary>
    [Flags]
    public enum BoneGroups
    {
        None = 0,
        Hips = 1,
        Torso = 2,
        Head = 4,
        Arms = 8,
        Fingers = 16,
        Legs = 32,
        Eyes = 64,
        Jaw = 128,
        UpperBody = Torso | Head | Arms | Fingers | Eyes | Jaw,
        All = Hips | Legs | UpperBody,
    }

    public static class BoneMasks
    {
        private static readonly ulong[] Masks = Make();

        /// <summary>One bit for every bone of the groups.</summary>
        public static ulong Of(BoneGroups groups)
        {
            ulong mask = 0;
            for (int i = 0; i < Masks.Length; i++)
            {
                if (((int)groups >> i & 1) != 0)
                {
                    mask |= Masks[i];
                }
            }
            return mask;
        }

        private static ulong[] Make()
        {
            ulong[] masks = new ulong[8];
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                masks[Group(bone)] |= 1UL << bone;
            }
            return masks;
        }

        private static int Group(int bone)
        {
            switch (bone)
            {
                case Bones.Hips: return 0;
                case Bones.Spine:
                case Bones.Chest:
                case Bones.UpperChest: return 1;
                case Bones.Neck:
                case Bones.Head: return 2;
                case Bones.LeftEye:
                case Bones.RightEye: return 6;
                case Bones.Jaw: return 7;
            }
            bool leg = bone <= Bones.RightFoot || bone == Bones.LeftToes || bone == Bones.RightToes;
            return leg ? 5 : bone >= Bones.LeftThumbProximal ? 4 : 3;
        }
    }
}
