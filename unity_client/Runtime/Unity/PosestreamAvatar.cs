using UnityEngine;

namespace Posestream
{
    /// <summary>Lets a person move a Humanoid avatar. Its transform is the place where the camera stands on the floor.</summary>
    [AddComponentMenu("posestream/Posestream Avatar")]
    [DefaultExecutionOrder(-100)]
    [DisallowMultipleComponent]
    public sealed class PosestreamAvatar : MonoBehaviour
    {
        public enum Binding
        {
            /// <summary>Whoever is person number so and so.</summary>
            Slot,

            /// <summary>One person, as long as he or she is followed.</summary>
            Track,
        }

        private const float BoneFadeS = 0.25f;
        private const float SizeS = 0.5f;

        [Tooltip("Where the people come from; empty: above this object, or the scene's.")]
        public PosestreamSource source;

        [Tooltip("The avatar's Animator; empty: the one on this object or below it.")]
        public Animator animator;

        public Binding binding = Binding.Slot;

        [Tooltip("Which person, counted from 0."), Range(0, 63)]
        public int slot;

        public long trackId = -1;

        [Tooltip("How much the person moves the avatar; the rest is left to the Animator, or to the rest pose."), Range(0f, 1f)]
        public float weight = 1f;

        [Tooltip("Parts of the body that the person moves.")]
        public BoneGroups bones = BoneGroups.All;

        [Tooltip("Time constant of additional smoothing, seconds. The daemon smooths already."), Range(0f, 0.5f)]
        public float smoothing;

        [Tooltip("How the avatar travels.")]
        public RootMode rootMode = RootMode.Scaled;

        [Tooltip("As in a mirror.")]
        public bool mirror;

        [Tooltip("The avatar sits: legs and hips are left alone.")]
        public bool seated;

        [Tooltip("Make the avatar as tall as the person (for AR).")]
        public bool matchSize;

        [Tooltip("How long the last pose is held when the person is gone, seconds."), Range(0f, 10f)]
        public float hold = 0.5f;

        [Tooltip("How long it takes to go over to the Animator's pose and back, seconds."), Range(0f, 5f)]
        public float fade = 0.3f;

        private readonly PersonPose _person = new PersonPose();
        private readonly PersonPose _shaped = new PersonPose();
        private readonly PoseShaper _shaper = new PoseShaper();
        private readonly Quat[] _local = new Quat[Posestream.Bones.Count];
        private readonly float[] _known = new float[Posestream.Bones.Count];
        private AvatarRig _rig;
        private Vector3 _ownScale;
        private float _size = 1f;
        private float _gone;
        private bool _ever;

        /// <summary>0 to 1: how far the avatar follows a person at the moment.</summary>
        public float Presence { get; private set; }

        /// <summary>Whether the person is there in this frame.</summary>
        public bool Tracked { get; private set; }

        /// <summary>The pose that was shown last, as the avatar took it.</summary>
        public PersonPose Person => _shaped;

        public AvatarRig Rig => _rig;

        /// <summary>What keeps the avatar from moving; null if nothing does.</summary>
        public string Problem { get; private set; }

        private void OnEnable() => Bind();

        /// <summary>Looks at the avatar anew.</summary>
        public void Bind()
        {
            if (animator == null)
            {
                animator = GetComponentInChildren<Animator>();
            }
            if (source == null)
            {
                source = GetComponentInParent<PosestreamSource>();
            }
            Problem = AvatarCheck.Problem(animator);
            _rig = Problem == null ? new AvatarRig(animator) : null;
            if (_rig != null && !_ever)
            {
                _ownScale = animator.transform.localScale;
            }
            if (Problem != null && Application.isPlaying)
            {
                Debug.LogWarning("posestream: " + Problem, this);
            }
            Forget();
        }

        /// <summary>Follows one person from now on, and nobody else.</summary>
        public void Follow(long track)
        {
            binding = Binding.Track;
            trackId = track;
            Forget();
        }

        private void Forget()
        {
            Presence = 0f;
            _gone = float.PositiveInfinity;
            _shaper.Reset();
            for (int bone = 0; bone < _known.Length; bone++)
            {
                _known[bone] = 1f;
            }
        }

        private void LateUpdate() => Apply(Time.deltaTime);

        /// <summary>Takes the pose of this moment; called by itself while playing.</summary>
        public void Apply(float seconds)
        {
            if (source == null)
            {
                source = PosestreamSource.Main;
            }
            if (_rig == null || source == null)
            {
                return;
            }
            PersonPose person = Find();
            Tracked = person != null;
            if (Tracked)
            {
                _person.CopyFrom(person);
                _ever = true;
            }
            Fade(seconds);
            if (!_ever || Presence <= 0f)
            {
                Idle();
                return;
            }
            _shaper.Shape(_person, _shaped, mirror, seated, smoothing, seconds);
            FadeBones(seconds);
            Size(seconds);
            _rig.Solver.Solve(_shaped.Rotations, _local);
            Turn();
            Travel();
        }

        private PersonPose Find()
        {
            PoseFrame frame = source.Frame;
            PersonPose person = binding == Binding.Slot ? frame.FindSlot(slot) : frame.FindTrack(trackId);
            return person == null || person.State == TrackState.Lost ? null : person;
        }

        private void Fade(float seconds)
        {
            _gone = Tracked ? 0f : _gone + seconds;
            float goal = _gone <= hold ? 1f : 0f;
            Presence = fade > 0f ? Mathf.MoveTowards(Presence, goal, seconds / fade) : goal;
        }

        private void FadeBones(float seconds)
        {
            float step = seconds / BoneFadeS;
            for (int bone = 0; bone < _known.Length; bone++)
            {
                _known[bone] = Mathf.MoveTowards(_known[bone], _shaped.IsValid(bone) ? 1f : 0f, step);
            }
        }

        private bool Animated => animator.runtimeAnimatorController != null && animator.enabled && Application.isPlaying;

        private void Turn()
        {
            ulong mask = BoneMasks.Of(bones);
            float all = weight * Presence;
            bool animated = Animated;
            for (int bone = 0; bone < _known.Length; bone++)
            {
                Transform transform = _rig.Transforms[bone];
                if (transform == null)
                {
                    continue;
                }
                float share = (mask >> bone & 1) == 0 ? 0f : all * _known[bone];
                Quaternion from = animated ? transform.localRotation : _rig.RestLocal[bone];
                Quaternion to = _local[bone].ToUnity();
                transform.localRotation = share >= 1f ? to : share <= 0f ? from : Quaternion.Slerp(from, to, share);
            }
        }

        private void Travel()
        {
            Transform hips = _rig.Transforms[Posestream.Bones.Hips];
            Vector3 from = Animated ? hips.localPosition : _rig.RestHipsLocal;
            bool moves = (bones & BoneGroups.Hips) != 0 && rootMode != RootMode.None && !seated;
            hips.localPosition = from;
            if (!moves)
            {
                return;
            }
            Vec3 at = RootMotion.Hips(_shaped, rootMode, _rig.Solver.RestHips, _rig.Solver.HipHeight);
            Transform root = animator.transform;
            float scale = rootMode == RootMode.Metric ? StageScale(root) : root.lossyScale.y;
            Vector3 goal = root.position + root.rotation * (at.ToUnity() * scale);
            hips.position = Vector3.Lerp(hips.position, goal, weight * Presence);
        }

        private static float StageScale(Transform root) => root.parent == null ? 1f : root.parent.lossyScale.y;

        private void Size(float seconds)
        {
            if (!matchSize || _shaped.HipHeight < 0.1f)
            {
                return;
            }
            float goal = _shaped.HipHeight / (_rig.Solver.HipHeight * _ownScale.y);
            bool first = Presence * fade <= seconds;
            _size = first ? goal : Mathf.Lerp(_size, goal, 1f - Mathf.Exp(-seconds / SizeS));
            animator.transform.localScale = _ownScale * _size;
        }

        /// <summary>Nobody is there: the Animator's pose, or the rest pose.</summary>
        private void Idle()
        {
            if (!_ever || Animated)
            {
                return;
            }
            Rest();
        }

        /// <summary>Puts the avatar into its rest pose.</summary>
        public void Rest()
        {
            if (_rig == null)
            {
                return;
            }
            for (int bone = 0; bone < _known.Length; bone++)
            {
                if (_rig.Transforms[bone] != null)
                {
                    _rig.Transforms[bone].localRotation = _rig.RestLocal[bone];
                }
            }
            _rig.Transforms[Posestream.Bones.Hips].localPosition = _rig.RestHipsLocal;
            if (matchSize)
            {
                animator.transform.localScale = _ownScale;
            }
        }
    }
}
