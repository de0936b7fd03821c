using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace Posestream
{
    /// <summary>Moves avatars while the scene is not playing, and puts them back afterwards.</summary>
    public static class EditModePreview
    {
        private struct Saved
        {
            public Transform Transform;
            public Vector3 Position;
            public Quaternion Rotation;
            public Vector3 Scale;
        }

        private static readonly List<Saved> Before = new List<Saved>();
        private static readonly List<PosestreamAvatar> Avatars = new List<PosestreamAvatar>();
        private static PosestreamSource _source;
        private static long _lastNs;

        public static bool Running => _source != null;

        /// <summary>Connects a source and moves these avatars with it.</summary>
        public static void Start(PosestreamSource source, IList<PosestreamAvatar> avatars)
        {
            Stop();
            _source = source;
            for (int i = 0; i < avatars.Count; i++)
            {
                avatars[i].source = avatars[i].source == null ? source : avatars[i].source;
                avatars[i].Bind();
                if (avatars[i].Rig != null)
                {
                    Save(avatars[i]);
                    Avatars.Add(avatars[i]);
                }
            }
            source.Connect();
            _lastNs = MonotonicClock.NowNs;
            EditorApplication.update += Update;
            AssemblyReloadEvents.beforeAssemblyReload += Stop;
            EditorApplication.quitting += Stop;
        }

        private static void Save(PosestreamAvatar avatar)
        {
            foreach (Transform transform in avatar.animator.GetComponentsInChildren<Transform>())
            {
                Before.Add(new Saved
                {
                    Transform = transform, Position = transform.localPosition, Rotation = transform.localRotation, Scale = transform.localScale,
                });
            }
        }

        private static void Update()
        {
            if (_source == null || Application.isPlaying)
            {
                Stop();
                return;
            }
            long nowNs = MonotonicClock.NowNs;
            float seconds = (nowNs - _lastNs) * 1e-9f;
            _lastNs = nowNs;
            _source.Tick(nowNs);
            foreach (PosestreamAvatar avatar in Avatars)
            {
                if (avatar != null)
                {
                    avatar.Apply(seconds);
                }
            }
            SceneView.RepaintAll();
        }

        public static void Stop()
        {
            EditorApplication.update -= Update;
            AssemblyReloadEvents.beforeAssemblyReload -= Stop;
            EditorApplication.quitting -= Stop;
            foreach (Saved saved in Before)
            {
                if (saved.Transform != null)
                {
                    saved.Transform.localPosition = saved.Position;
                    saved.Transform.localRotation = saved.Rotation;
                    saved.Transform.localScale = saved.Scale;
                }
            }
            Before.Clear();
            Avatars.Clear();
            if (_source != null)
            {
                _source.Disconnect();
            }
            _source = null;
        }
    }
}
