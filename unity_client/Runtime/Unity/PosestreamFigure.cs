using System.Collections.Generic;
using UnityEngine;

namespace Posestream
{
    /// <summary>A plain Humanoid made of capsules, for who has no avatar yet. It is built when the scene starts.</summary>
    [AddComponentMenu("posestream/Posestream Figure")]
    [DefaultExecutionOrder(-250)]
    [DisallowMultipleComponent]
    public sealed class PosestreamFigure : MonoBehaviour
    {
        private const float LimbThickness = 0.09f;
        private const float TorsoThickness = 0.2f;
        private const float HeadSize = 0.2f;

        [Tooltip("Material of the body; empty: the render pipeline's own.")]
        public Material material;

        private readonly Transform[] _bones = new Transform[Bones.Count];

        /// <summary>Body, neck and head; without fingers, eyes and jaw.</summary>
        public static bool Has(int bone) => bone < Bones.LeftEye || bone == Bones.UpperChest;

        private void Awake()
        {
            Animator animator = GetComponent<Animator>();
            if (animator != null && animator.avatar != null)
            {
                return;
            }
            MakeBones();
            Avatar avatar = AvatarBuilder.BuildHumanAvatar(gameObject, Describe());
            avatar.name = "posestream figure";
            animator = animator != null ? animator : gameObject.AddComponent<Animator>();
            animator.avatar = avatar;
            MakeBody();
            PosestreamAvatar driven = GetComponent<PosestreamAvatar>();
            if (driven != null)
            {
                driven.Bind();
            }
        }

        private void MakeBones()
        {
            foreach (int bone in Bones.Order)
            {
                if (Has(bone))
                {
                    int parent = Bones.Parent[bone];
                    _bones[bone] = new GameObject(Bones.Names[bone]).transform;
                    _bones[bone].SetParent(parent < 0 ? transform : _bones[parent], false);
                    _bones[bone].localPosition = Bones.RestOffset[bone].ToUnity();
                }
            }
        }

        private HumanDescription Describe()
        {
            List<HumanBone> human = new List<HumanBone>();
            List<SkeletonBone> skeleton = new List<SkeletonBone> { Rest(transform, Vector3.zero) };
            foreach (int bone in Bones.Order)
            {
                if (Has(bone))
                {
                    HumanLimit limit = new HumanLimit { useDefaultValues = true };
                    human.Add(new HumanBone { boneName = _bones[bone].name, humanName = Bones.Names[bone], limit = limit });
                    skeleton.Add(Rest(_bones[bone], _bones[bone].localPosition));
                }
            }
            return new HumanDescription
            {
                human = human.ToArray(), skeleton = skeleton.ToArray(), upperArmTwist = 0.5f, lowerArmTwist = 0.5f,
                upperLegTwist = 0.5f, lowerLegTwist = 0.5f, armStretch = 0.05f, legStretch = 0.05f,
            };
        }

        private static SkeletonBone Rest(Transform t, Vector3 position) =>
            new SkeletonBone { name = t.name, position = position, rotation = Quaternion.identity, scale = Vector3.one };

        private void MakeBody()
        {
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                int parent = Has(bone) ? Bones.Parent[bone] : -1;
                if (parent >= 0)
                {
                    bool torso = bone == Bones.Spine || bone == Bones.Chest || bone == Bones.UpperChest;
                    Limb(_bones[parent], _bones[bone].localPosition, torso ? TorsoThickness : LimbThickness);
                }
            }
            Transform head = Shape(PrimitiveType.Sphere, _bones[Bones.Head]);
            head.localPosition = new Vector3(0f, HeadSize * 0.5f, 0.02f);
            head.localScale = new Vector3(HeadSize * 0.8f, HeadSize * 1.15f, HeadSize);
            Transform nose = Shape(PrimitiveType.Sphere, _bones[Bones.Head]);
            nose.localPosition = new Vector3(0f, HeadSize * 0.45f, HeadSize * 0.6f); // so that one sees where it looks
            nose.localScale = Vector3.one * (HeadSize * 0.15f);
        }

        private void Limb(Transform above, Vector3 to, float thickness)
        {
            Transform limb = Shape(PrimitiveType.Capsule, above);
            limb.localPosition = to * 0.5f;
            limb.localRotation = Quaternion.FromToRotation(Vector3.up, to);
            limb.localScale = new Vector3(thickness, to.magnitude * 0.5f + thickness * 0.25f, thickness); // a capsule is 2 m high
        }

        private Transform Shape(PrimitiveType kind, Transform above)
        {
            GameObject shape = GameObject.CreatePrimitive(kind);
            shape.name = "shape";
            Collider body = shape.GetComponent<Collider>();
            if (body != null)
            {
                Destroy(body);
            }
            if (material != null)
            {
                shape.GetComponent<Renderer>().sharedMaterial = material;
            }
            shape.transform.SetParent(above, false);
            return shape.transform;
        }
    }
}
