using System;
using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace Posestream
{
    /// <summary>Records what an avatar does as a Humanoid clip that any other Humanoid can play.</summary>
    public sealed class ClipRecorder : IDisposable
    {
        private static readonly string[] Root = { "RootT.x", "RootT.y", "RootT.z", "RootQ.x", "RootQ.y", "RootQ.z", "RootQ.w" };
        private readonly HumanPoseHandler _handler;
        private readonly List<Keyframe>[] _keys;
        private HumanPose _pose;
        private float _time;

        public ClipRecorder(PosestreamAvatar avatar)
        {
            _handler = new HumanPoseHandler(avatar.animator.avatar, avatar.animator.transform);
            _keys = new List<Keyframe>[Root.Length + HumanTrait.MuscleCount];
            for (int i = 0; i < _keys.Length; i++)
            {
                _keys[i] = new List<Keyframe>();
            }
        }

        public int Frames { get; private set; }

        /// <summary>Takes the avatar's pose of this moment.</summary>
        public void Take(float seconds)
        {
            _time += Frames == 0 ? 0f : seconds;
            Frames++;
            _handler.GetHumanPose(ref _pose);
            Vector3 p = _pose.bodyPosition;
            Quaternion q = _pose.bodyRotation;
            Add(0, p.x);
            Add(1, p.y);
            Add(2, p.z);
            AddTurn(q);
            for (int i = 0; i < HumanTrait.MuscleCount; i++)
            {
                Add(Root.Length + i, _pose.muscles[i]);
            }
        }

        /// <summary>Neighbouring keys on the same side, or the curve would turn the long way round.</summary>
        private void AddTurn(Quaternion q)
        {
            List<Keyframe> w = _keys[6];
            if (w.Count > 0)
            {
                int last = w.Count - 1;
                Quaternion before = new Quaternion(_keys[3][last].value, _keys[4][last].value, _keys[5][last].value, w[last].value);
                if (Quaternion.Dot(before, q) < 0f)
                {
                    q = new Quaternion(-q.x, -q.y, -q.z, -q.w);
                }
            }
            Add(3, q.x);
            Add(4, q.y);
            Add(5, q.z);
            Add(6, q.w);
        }

        private void Add(int curve, float value) => _keys[curve].Add(new Keyframe(_time, value));

        /// <summary>The clip of everything so far.</summary>
        public AnimationClip Clip(float frameRate)
        {
            AnimationClip clip = new AnimationClip { frameRate = frameRate };
            string[] muscles = HumanTrait.MuscleName;
            for (int i = 0; i < _keys.Length; i++)
            {
                string property = i < Root.Length ? Root[i] : Property(muscles[i - Root.Length]);
                EditorCurveBinding binding = EditorCurveBinding.FloatCurve("", typeof(Animator), property);
                AnimationUtility.SetEditorCurve(clip, binding, new AnimationCurve(_keys[i].ToArray()));
            }
            return clip;
        }

        /// <summary>Clips call finger muscles otherwise than the muscle table does.</summary>
        public static string Property(string muscle)
        {
            foreach (string side in new[] { "Left", "Right" })
            {
                foreach (string finger in new[] { "Thumb", "Index", "Middle", "Ring", "Little" })
                {
                    string start = side + " " + finger + " ";
                    if (muscle.StartsWith(start, StringComparison.Ordinal))
                    {
                        return side + "Hand." + finger + "." + muscle.Substring(start.Length);
                    }
                }
            }
            return muscle;
        }

        public void Dispose() => _handler.Dispose();
    }
}
