using UnityEngine;

namespace Posestream
{
    /// <summary>Puts the avatar's feet on the ground of the scene, which may be higher or lower than the real floor.</summary>
    [AddComponentMenu("posestream/Posestream Foot IK")]
    [DefaultExecutionOrder(100)]
    [RequireComponent(typeof(PosestreamAvatar))]
    public sealed class PosestreamFootIk : MonoBehaviour
    {
        private static readonly int[] Left = { Bones.LeftUpperLeg, Bones.LeftLowerLeg, Bones.LeftFoot };
        private static readonly int[] Right = { Bones.RightUpperLeg, Bones.RightLowerLeg, Bones.RightFoot };

        [Tooltip("What counts as ground.")]
        public LayerMask ground = ~0;

        [Range(0f, 1f)]
        public float weight = 1f;

        [Tooltip("Highest step up or down, metres."), Range(0f, 1f)]
        public float reach = 0.4f;

        [Tooltip("Tilt the feet with the ground.")]
        public bool tilt = true;

        [Tooltip("Smallest time in which a foot moves to another height, seconds."), Range(0f, 0.5f)]
        public float softness = 0.08f;

        private PosestreamAvatar _avatar;
        private float _left;
        private float _right;
        private float _hips;

        private void OnEnable()
        {
            _avatar = GetComponent<PosestreamAvatar>();
            _left = _right = _hips = 0f;
        }

        private void LateUpdate() => Tick(Time.deltaTime);

        /// <summary>Moves the legs; called by itself while playing, after the avatar.</summary>
        public void Tick(float seconds)
        {
            AvatarRig rig = _avatar.Rig;
            if (rig == null || _avatar.Presence <= 0f || _avatar.seated || weight <= 0f)
            {
                return;
            }
            float share = softness > 0f ? 1f - Mathf.Exp(-seconds / softness) : 1f;
            Vector3 normalLeft, normalRight;
            _left = Mathf.Lerp(_left, Step(rig, Left, out normalLeft), share);
            _right = Mathf.Lerp(_right, Step(rig, Right, out normalRight), share);
            // the lower foot takes the hips with it; legs do not stretch
            _hips = Mathf.Lerp(_hips, Mathf.Min(Mathf.Min(_left, _right), 0f), share);
            float all = weight * _avatar.Presence;
            Transform hips = rig.Transforms[Bones.Hips];
            Vector3 leftFoot = Foot(rig, Left) + Vector3.up * (_left * all);
            Vector3 rightFoot = Foot(rig, Right) + Vector3.up * (_right * all);
            hips.position += Vector3.up * (_hips * all);
            Reach(rig, Left, leftFoot, normalLeft, all);
            Reach(rig, Right, rightFoot, normalRight, all);
        }

        private static Vector3 Foot(AvatarRig rig, int[] leg) =>
            rig.Transforms[leg[2]] == null ? Vector3.zero : rig.Transforms[leg[2]].position;

        /// <summary>How much higher the ground under a foot is than the avatar's floor.</summary>
        private float Step(AvatarRig rig, int[] leg, out Vector3 normal)
        {
            normal = Vector3.up;
            if (rig.Transforms[leg[2]] == null)
            {
                return 0f;
            }
            Vector3 foot = rig.Transforms[leg[2]].position;
            float floor = transform.position.y;
            Vector3 from = new Vector3(foot.x, floor + reach, foot.z);
            RaycastHit hit;
            if (!Physics.Raycast(from, Vector3.down, out hit, 2f * reach, ground, QueryTriggerInteraction.Ignore))
            {
                return 0f;
            }
            normal = hit.normal;
            return hit.point.y - floor;
        }

        private void Reach(AvatarRig rig, int[] leg, Vector3 target, Vector3 normal, float all)
        {
            Transform upper = rig.Transforms[leg[0]];
            Transform lower = rig.Transforms[leg[1]];
            Transform foot = rig.Transforms[leg[2]];
            if (upper == null || lower == null || foot == null)
            {
                return;
            }
            Quaternion sole = foot.rotation;
            Quat turnUpper, turnLower;
            Vec3 forward = _avatar.transform.forward.ToCore();
            TwoBoneIk.Solve(
                upper.position.ToCore(), lower.position.ToCore(), foot.position.ToCore(), target.ToCore(), forward, out turnUpper, out turnLower);
            Quaternion lowerRotation = turnLower.ToUnity() * lower.rotation;
            upper.rotation = turnUpper.ToUnity() * upper.rotation;
            lower.rotation = lowerRotation;
            Quaternion lean = tilt ? Quaternion.Slerp(Quaternion.identity, Quaternion.FromToRotation(Vector3.up, normal), all) : Quaternion.identity;
            foot.rotation = lean * sole;
        }
    }
}
