// Written by tools/generate_csharp.py from posestream/skeleton/humanoid.py. Do not edit.
namespace Posestream
{
    /// <summary>The humanoid's bones, numbered as in HumanBodyBones.</summary>
    public static class Bones
    {
        public const int Count = 55;
        public const int Hips = 0;
        public const int LeftUpperLeg = 1;
        public const int RightUpperLeg = 2;
        public const int LeftLowerLeg = 3;
        public const int RightLowerLeg = 4;
        public const int LeftFoot = 5;
        public const int RightFoot = 6;
        public const int Spine = 7;
        public const int Chest = 8;
        public const int Neck = 9;
        public const int Head = 10;
        public const int LeftShoulder = 11;
        public const int RightShoulder = 12;
        public const int LeftUpperArm = 13;
        public const int RightUpperArm = 14;
        public const int LeftLowerArm = 15;
        public const int RightLowerArm = 16;
        public const int LeftHand = 17;
        public const int RightHand = 18;
        public const int LeftToes = 19;
        public const int RightToes = 20;
        public const int LeftEye = 21;
        public const int RightEye = 22;
        public const int Jaw = 23;
        public const int LeftThumbProximal = 24;
        public const int LeftThumbIntermediate = 25;
        public const int LeftThumbDistal = 26;
        public const int LeftIndexProximal = 27;
        public const int LeftIndexIntermediate = 28;
        public const int LeftIndexDistal = 29;
        public const int LeftMiddleProximal = 30;
        public const int LeftMiddleIntermediate = 31;
        public const int LeftMiddleDistal = 32;
        public const int LeftRingProximal = 33;
        public const int LeftRingIntermediate = 34;
        public const int LeftRingDistal = 35;
        public const int LeftLittleProximal = 36;
        public const int LeftLittleIntermediate = 37;
        public const int LeftLittleDistal = 38;
        public const int RightThumbProximal = 39;
        public const int RightThumbIntermediate = 40;
        public const int RightThumbDistal = 41;
        public const int RightIndexProximal = 42;
        public const int RightIndexIntermediate = 43;
        public const int RightIndexDistal = 44;
        public const int RightMiddleProximal = 45;
        public const int RightMiddleIntermediate = 46;
        public const int RightMiddleDistal = 47;
        public const int RightRingProximal = 48;
        public const int RightRingIntermediate = 49;
        public const int RightRingDistal = 50;
        public const int RightLittleProximal = 51;
        public const int RightLittleIntermediate = 52;
        public const int RightLittleDistal = 53;
        public const int UpperChest = 54;
        public static readonly string[] Names =
        {
            "Hips", "LeftUpperLeg", "RightUpperLeg", "LeftLowerLeg", "RightLowerLeg", "LeftFoot",
            "RightFoot", "Spine", "Chest", "Neck", "Head", "LeftShoulder",
            "RightShoulder", "LeftUpperArm", "RightUpperArm", "LeftLowerArm", "RightLowerArm", "LeftHand",
            "RightHand", "LeftToes", "RightToes", "LeftEye", "RightEye", "Jaw",
            "LeftThumbProximal", "LeftThumbIntermediate", "LeftThumbDistal", "LeftIndexProximal", "LeftIndexIntermediate", "LeftIndexDistal",
            "LeftMiddleProximal", "LeftMiddleIntermediate", "LeftMiddleDistal", "LeftRingProximal", "LeftRingIntermediate", "LeftRingDistal",
            "LeftLittleProximal", "LeftLittleIntermediate", "LeftLittleDistal", "RightThumbProximal", "RightThumbIntermediate", "RightThumbDistal",
            "RightIndexProximal", "RightIndexIntermediate", "RightIndexDistal", "RightMiddleProximal", "RightMiddleIntermediate", "RightMiddleDistal",
            "RightRingProximal", "RightRingIntermediate", "RightRingDistal", "RightLittleProximal", "RightLittleIntermediate", "RightLittleDistal",
            "UpperChest"
        };
        /// <summary>Parent of each bone, -1 for the Hips.</summary>
        public static readonly int[] Parent =
        {
            -1, 0, 0, 1, 2, 3, 4, 0, 7, 54, 9, 54, 54, 11, 12, 13, 14, 15, 16, 5,
            6, 10, 10, 10, 17, 24, 25, 17, 27, 28, 17, 30, 31, 17, 33, 34, 17, 36, 37, 18,
            39, 40, 18, 42, 43, 18, 45, 46, 18, 48, 49, 18, 51, 52, 8
        };
        /// <summary>Bones such that parents come before their children.</summary>
        public static readonly int[] Order =
        {
            0, 1, 2, 7, 3, 4, 8, 5, 6, 54, 9, 11, 12, 19, 20, 10, 13, 14, 15, 16,
            21, 22, 23, 17, 18, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 25, 28, 31, 34, 37,
            40, 43, 46, 49, 52, 26, 29, 32, 35, 38, 41, 44, 47, 50, 53
        };
        /// <summary>The same bone of the other side.</summary>
        public static readonly int[] Mirrored =
        {
            0, 2, 1, 4, 3, 6, 5, 7, 8, 9, 10, 12, 11, 14, 13, 16, 15, 18, 17, 20,
            19, 22, 21, 23, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 24,
            25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 54
        };
        /// <summary>From the parent in the T-pose, metres, Unity's axes.</summary>
        public static readonly Vec3[] RestOffset =
        {
            new Vec3(0f, 0.92f, 0f), new Vec3(-0.09f, -0.04f, 0f), new Vec3(0.09f, -0.04f, 0f),
            new Vec3(0f, -0.41f, 0f), new Vec3(0f, -0.41f, 0f), new Vec3(0f, -0.39f, 0f),
            new Vec3(0f, -0.39f, 0f), new Vec3(0f, 0.1f, -0.01f), new Vec3(0f, 0.12f, 0f),
            new Vec3(0f, 0.16f, -0.01f), new Vec3(0f, 0.09f, 0.01f), new Vec3(-0.03f, 0.12f, -0.01f),
            new Vec3(0.03f, 0.12f, -0.01f), new Vec3(-0.14f, 0f, 0f), new Vec3(0.14f, 0f, 0f),
            new Vec3(-0.27f, 0f, 0f), new Vec3(0.27f, 0f, 0f), new Vec3(-0.25f, 0f, 0f),
            new Vec3(0.25f, 0f, 0f), new Vec3(0f, -0.06f, 0.13f), new Vec3(0f, -0.06f, 0.13f),
            new Vec3(-0.032f, 0.075f, 0.08f), new Vec3(0.032f, 0.075f, 0.08f), new Vec3(0f, 0.01f, 0.02f),
            new Vec3(-0.025f, -0.01f, 0.025f), new Vec3(-0.03f, 0f, 0.02f), new Vec3(-0.025f, 0f, 0.012f),
            new Vec3(-0.09f, 0f, 0.028f), new Vec3(-0.038f, 0f, 0f), new Vec3(-0.024f, 0f, 0f),
            new Vec3(-0.092f, 0f, 0.006f), new Vec3(-0.043f, 0f, 0f), new Vec3(-0.027f, 0f, 0f),
            new Vec3(-0.088f, 0f, -0.014f), new Vec3(-0.039f, 0f, 0f), new Vec3(-0.026f, 0f, 0f),
            new Vec3(-0.082f, 0f, -0.033f), new Vec3(-0.03f, 0f, 0f), new Vec3(-0.021f, 0f, 0f),
            new Vec3(0.025f, -0.01f, 0.025f), new Vec3(0.03f, 0f, 0.02f), new Vec3(0.025f, 0f, 0.012f),
            new Vec3(0.09f, 0f, 0.028f), new Vec3(0.038f, 0f, 0f), new Vec3(0.024f, 0f, 0f),
            new Vec3(0.092f, 0f, 0.006f), new Vec3(0.043f, 0f, 0f), new Vec3(0.027f, 0f, 0f),
            new Vec3(0.088f, 0f, -0.014f), new Vec3(0.039f, 0f, 0f), new Vec3(0.026f, 0f, 0f),
            new Vec3(0.082f, 0f, -0.033f), new Vec3(0.03f, 0f, 0f), new Vec3(0.021f, 0f, 0f),
            new Vec3(0f, 0.12f, 0f)
        };
        /// <summary>The daemon's usual expression names (VRM 1.0).</summary>
        public static readonly string[] Expressions =
        {
            "aa", "ih", "ou", "ee", "oh", "blink",
            "blinkLeft", "blinkRight", "happy", "angry", "sad", "relaxed",
            "surprised", "lookUp", "lookDown", "lookLeft", "lookRight", "eyeBlinkLeft",
            "eyeBlinkRight", "eyeLookUpLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpRight",
            "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "jawOpen", "mouthSmileLeft", "mouthSmileRight",
            "mouthFunnel", "mouthPucker", "browInnerUp", "browDownLeft", "browDownRight"
        };
    }
}
