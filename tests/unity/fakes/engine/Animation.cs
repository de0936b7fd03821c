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

    public struct HumanLimit
    {
        public bool useDefaultValues { get; set; }
    }

    public struct HumanBone
    {
        public string boneName { get; set; }
        public string humanName { get; set; }
        public HumanLimit limit;
    }

    public struct HumanDescription
    {
        public HumanBone[] human;
        public SkeletonBone[] skeleton;
        public float upperArmTwist { get; set; }
        public float lowerArmTwist { get; set; }
        public float upperLegTwist { get; set; }
        public float lowerLegTwist { get; set; }
        public float armStretch { get; set; }
        public float legStretch { get; set; }
    }

    public static class AvatarBuilder
    {
        /// <summary>Complains as Unity does: of names that are not below the object, and of required bones that are not named.</summary>
        public static Avatar BuildHumanAvatar(GameObject root, HumanDescription description)
        {
            HashSet<string> below = new HashSet<string>();
            foreach (Transform t in root.GetComponentsInChildren<Transform>()) { if (!below.Add(t.name)) { throw new ArgumentException("ambiguous: " + t.name); } }
            foreach (SkeletonBone bone in description.skeleton) { if (!below.Contains(bone.name)) { throw new ArgumentException(bone.name); } }
            HashSet<string> named = new HashSet<string>();
            foreach (HumanBone bone in description.human) { named.Add(bone.humanName); if (!below.Contains(bone.boneName)) { throw new ArgumentException(bone.boneName); } }
            bool whole = true;
            foreach (string part in new[] { "UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand" }) { whole &= named.Contains("Left" + part) && named.Contains("Right" + part); }
            return new Avatar { humanDescription = description, isValid = whole && named.Contains("Hips") && named.Contains("Spine") && named.Contains("Head") };
        }
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

        private Transform ByName(string humanName)
        {
            HumanBone[] human = avatar == null ? null : avatar.humanDescription.human;
            foreach (HumanBone bone in human ?? new HumanBone[0])
            {
                if (bone.humanName == humanName)
                {
                    foreach (Transform t in GetComponentsInChildren<Transform>()) { if (t.name == bone.boneName) { return t; } }
                }
            }
            return null;
        }

        public Transform GetBoneTransform(HumanBodyBones bone)
        {
            if ((int)bone < 0 || bone >= HumanBodyBones.LastBone) { throw new IndexOutOfRangeException(); }
            Transform found;
            return Table.TryGetValue(bone, out found) ? found : ByName(bone.ToString());
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
