using System.Collections.Generic;
using UnityEngine;

namespace Posestream
{
    /// <summary>Whether an avatar can be driven, and if not, what to do.</summary>
    public static class AvatarCheck
    {
        private static readonly int[] Useful =
        {
            Bones.UpperChest, Bones.Chest, Bones.LeftShoulder, Bones.RightShoulder, Bones.LeftToes, Bones.RightToes, Bones.Neck,
        };

        /// <summary>What keeps the avatar from moving; null if nothing does.</summary>
        public static string Problem(Animator animator)
        {
            if (animator == null)
            {
                return "There is no Animator: add one to the avatar's topmost object, with the Avatar of its model.";
            }
            if (animator.avatar == null)
            {
                return "The Animator has no Avatar: select the model file, Rig, Animation Type: Humanoid, Apply, and put the "
                    + "Avatar that appears below the model into the Animator.";
            }
            if (!animator.avatar.isValid)
            {
                return "The Avatar is not valid: open the model's Rig tab, Configure…, and assign the bones shown in red.";
            }
            if (!animator.avatar.isHuman)
            {
                return "The Avatar is not a Humanoid: select the model file, Rig, Animation Type: Humanoid, Apply.";
            }
            return animator.GetBoneTransform(HumanBodyBones.Hips) == null
                ? "The hips are missing below the Animator: was 'Optimize Game Objects' on in the model's Rig tab? Switch it off."
                : null;
        }

        /// <summary>What works less well than it could.</summary>
        public static List<string> Warnings(Animator animator)
        {
            List<string> warnings = new List<string>();
            if (Problem(animator) != null)
            {
                return warnings;
            }
            List<string> missing = new List<string>();
            foreach (int bone in Useful)
            {
                if (animator.GetBoneTransform((HumanBodyBones)bone) == null)
                {
                    missing.Add(Bones.Names[bone]);
                }
            }
            if (missing.Count > 0)
            {
                warnings.Add("Bones that the avatar lacks: " + string.Join(", ", missing.ToArray())
                    + ". Their neighbours take over what they can; assign them in the model's Rig tab if they exist.");
            }
            if (animator.GetBoneTransform(HumanBodyBones.LeftIndexProximal) == null)
            {
                warnings.Add("No finger bones are assigned: fingers will not move.");
            }
            Vector3 scale = animator.transform.lossyScale;
            if (Mathf.Abs(scale.x - scale.y) > 0.01f * Mathf.Abs(scale.y) || Mathf.Abs(scale.z - scale.y) > 0.01f * Mathf.Abs(scale.y))
            {
                warnings.Add("The avatar is scaled differently along its axes: use the same scale for all three.");
            }
            if (animator.applyRootMotion && animator.runtimeAnimatorController != null)
            {
                warnings.Add("'Apply Root Motion' is on: the animation walks away with the avatar. Switch it off.");
            }
            return warnings;
        }
    }
}
