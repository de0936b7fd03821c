using System.Collections.Generic;
using UnityEngine;

namespace Posestream
{
    /// <summary>A Humanoid avatar's bones and how they rest.</summary>
    public sealed class AvatarRig
    {
        private readonly Animator _animator;
        private readonly Dictionary<string, SkeletonBone> _skeleton = new Dictionary<string, SkeletonBone>();

        /// <summary>Null where the avatar lacks a bone.</summary>
        public readonly Transform[] Transforms = new Transform[Bones.Count];

        public readonly Quaternion[] RestLocal = new Quaternion[Bones.Count];

        public readonly RigSolver Solver;

        /// <summary>Position of the hips in their parent when at rest.</summary>
        public readonly Vector3 RestHipsLocal;

        /// <summary>The animator must be that of a Humanoid; see <see cref="AvatarCheck"/>.</summary>
        public AvatarRig(Animator animator)
        {
            _animator = animator;
            foreach (SkeletonBone bone in animator.avatar.humanDescription.skeleton)
            {
                if (!_skeleton.ContainsKey(bone.name))
                {
                    _skeleton.Add(bone.name, bone);
                }
            }
            RestRig rest = new RestRig();
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                Transform transform = animator.GetBoneTransform((HumanBodyBones)bone);
                Transforms[bone] = transform;
                if (transform != null)
                {
                    Read(rest, bone, transform);
                }
            }
            RestHipsLocal = LocalPosition(Transforms[Bones.Hips]);
            Solver = new RigSolver(rest);
        }

        private void Read(RestRig rest, int bone, Transform transform)
        {
            Pose pose = InAvatar(transform);
            rest.Present[bone] = true;
            rest.Position[bone] = pose.position.ToCore();
            rest.Rotation[bone] = pose.rotation.ToCore();
            rest.AboveRotation[bone] = InAvatar(transform.parent).rotation.ToCore();
            RestLocal[bone] = LocalRotation(transform);
        }

        /// <summary>Where a transform rests in the animator's space, from the avatar's own description.</summary>
        private Pose InAvatar(Transform transform)
        {
            Vector3 position = Vector3.zero;
            Quaternion rotation = Quaternion.identity;
            for (Transform t = transform; t != null && t != _animator.transform; t = t.parent)
            {
                Quaternion local = LocalRotation(t);
                position = LocalPosition(t) + local * Vector3.Scale(LocalScale(t), position);
                rotation = local * rotation;
            }
            return new Pose(position, rotation);
        }

        private Quaternion LocalRotation(Transform t)
        {
            SkeletonBone bone;
            return _skeleton.TryGetValue(t.name, out bone) ? bone.rotation : t.localRotation;
        }

        private Vector3 LocalPosition(Transform t)
        {
            SkeletonBone bone;
            return _skeleton.TryGetValue(t.name, out bone) ? bone.position : t.localPosition;
        }

        private Vector3 LocalScale(Transform t)
        {
            SkeletonBone bone;
            return _skeleton.TryGetValue(t.name, out bone) ? bone.scale : t.localScale;
        }
    }
}
