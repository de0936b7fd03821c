// Small working stand-ins for Unity's animation: a Humanoid is a table of transforms and a skeleton.
using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public enum HumanBodyBones
    {
        Hips, LeftUpperLeg, RightUpperLeg, LeftLowerLeg, RightLowerLeg, LeftFoot, RightFoot, Spine, Chest, Neck, Head,
        LeftShoulder, RightShoulder, LeftUpperArm, RightUpperArm, LeftLowerArm, RightLowerArm, LeftHand, RightHand, LeftToes,
        RightToes, LeftEye, RightEye, Jaw, LeftThumbProximal, LeftThumbIntermediate, LeftThumbDistal, LeftIndexProximal,
        LeftIndexIntermediate, LeftIndexDistal, LeftMiddleProximal, LeftMiddleIntermediate, LeftMiddleDistal, LeftRingProximal,
        LeftRingIntermediate, LeftRingDistal, LeftLittleProximal, LeftLittleIntermediate, LeftLittleDistal, RightThumbProximal,
        RightThumbIntermediate, RightThumbDistal, RightIndexProximal, RightIndexIntermediate, RightIndexDistal,
        RightMiddleProximal, RightMiddleIntermediate, RightMiddleDistal, RightRingProximal, RightRingIntermediate,
        RightRingDistal, RightLittleProximal, RightLittleIntermediate, RightLittleDistal, UpperChest, LastBone,
    }

    public struct SkeletonBone
    {
        public string name;
        public Vector3 position;
        public Quaternion rotation;
        public Vector3 scale;
    }

    public struct HumanDescription
    {
        public SkeletonBone[] skeleton;
    }

    public class Avatar : Object
    {
        public bool isValid { get; set; } = true;
        public bool isHuman { get; set; } = true;
        public HumanDescription humanDescription { get; set; }
    }

    public class RuntimeAnimatorController : Object { }

    public class Animator : Behaviour
    {
        public readonly Dictionary<HumanBodyBones, Transform> Table = new Dictionary<HumanBodyBones, Transform>();
        public Avatar avatar { get; set; }
        public RuntimeAnimatorController runtimeAnimatorController { get; set; }
        public bool applyRootMotion { get; set; }
        public bool isHuman => avatar != null && avatar.isHuman;

        public Transform GetBoneTransform(HumanBodyBones bone)
        {
            if ((int)bone < 0 || bone >= HumanBodyBones.LastBone) { throw new IndexOutOfRangeException(); }
            Transform found;
            return Table.TryGetValue(bone, out found) ? found : null;
        }
    }

    public class AnimationClip : Object
    {
        public float frameRate { get; set; }
        public bool legacy { get; set; }
        public readonly Dictionary<string, AnimationCurve> Curves = new Dictionary<string, AnimationCurve>();
    }

    public struct Keyframe
    {
        public float time, value;
        public Keyframe(float time, float value) { this.time = time; this.value = value; }
    }

    public class AnimationCurve
    {
        public Keyframe[] keys { get; set; }
        public AnimationCurve(params Keyframe[] keys) { this.keys = keys; }
    }

    public static class HumanTrait
    {
        public static int MuscleCount => 95;
        public static string[] MuscleName
        {
            get
            {
                string[] names = new string[95];
                for (int i = 0; i < 95; i++) { names[i] = "Muscle " + i; }
                return names;
            }
        }
    }

    public struct HumanPose
    {
        public Vector3 bodyPosition;
        public Quaternion bodyRotation;
        public float[] muscles;
    }

    public class HumanPoseHandler : IDisposable
    {
        private readonly Transform _root;
        public HumanPoseHandler(Avatar avatar, Transform root) { _root = root; }
        public void GetHumanPose(ref HumanPose pose)
        {
            pose.bodyPosition = _root.position;
            pose.bodyRotation = _root.rotation;
            if (pose.muscles == null) { pose.muscles = new float[HumanTrait.MuscleCount]; }
        }
        public void Dispose() { }
    }
}
