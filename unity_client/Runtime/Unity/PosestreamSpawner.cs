using System;
using System.Collections.Generic;
using UnityEngine;

namespace Posestream
{
    /// <summary>An avatar for everybody: comes with the person, stays a while when the person is gone, then leaves.</summary>
    [AddComponentMenu("posestream/Posestream Spawner")]
    [DefaultExecutionOrder(-150)]
    public sealed class PosestreamSpawner : MonoBehaviour
    {
        [Tooltip("Where the people come from; empty: above this object, or the scene's.")]
        public PosestreamSource source;

        [Tooltip("Avatars, taken in turn by person number.")]
        public GameObject[] prefabs = new GameObject[0];

        [Tooltip("Most avatars at a time."), Range(1, 64)]
        public int maxPeople = 8;

        [Tooltip("How long an avatar holds its pose when the person is gone, seconds."), Range(0f, 10f)]
        public float hold = 1f;

        [Tooltip("How long it takes to appear and to vanish, seconds."), Range(0f, 5f)]
        public float fade = 0.3f;

        [Tooltip("Avatars grow when they appear and shrink when they leave.")]
        public bool scaleWhileFading = true;

        private sealed class Actor
        {
            public long Track = -1;
            public int Prefab;
            public GameObject Root;
            public PosestreamAvatar Avatar;
            public Vector3 Scale;
            public float Shown;
            public float Gone;
        }

        private readonly List<Actor> _actors = new List<Actor>();

        /// <summary>An avatar has appeared.</summary>
        public event Action<PosestreamAvatar> Appeared;

        /// <summary>An avatar is about to leave; it will be used again.</summary>
        public event Action<PosestreamAvatar> Left;

        /// <summary>Avatars in the scene at the moment.</summary>
        public int Count
        {
            get
            {
                int count = 0;
                for (int i = 0; i < _actors.Count; i++)
                {
                    count += _actors[i].Track >= 0 ? 1 : 0;
                }
                return count;
            }
        }

        private void OnEnable()
        {
            if (source == null)
            {
                source = GetComponentInParent<PosestreamSource>();
            }
        }

        private void OnDisable()
        {
            for (int i = 0; i < _actors.Count; i++)
            {
                if (_actors[i].Track >= 0)
                {
                    Release(_actors[i]);
                }
            }
        }

        private void LateUpdate() => Tick(Time.deltaTime);

        /// <summary>Lets avatars come and go; called by itself while playing.</summary>
        public void Tick(float seconds)
        {
            if (source == null)
            {
                source = PosestreamSource.Main;
            }
            if (source == null || prefabs == null || prefabs.Length == 0)
            {
                return;
            }
            PoseFrame frame = source.Frame;
            for (int i = 0; i < frame.Count; i++)
            {
                if (frame[i].State != TrackState.Lost && Of(frame[i].TrackId) == null && Count < maxPeople)
                {
                    Take(frame[i]);
                }
            }
            for (int i = 0; i < _actors.Count; i++)
            {
                if (_actors[i].Track >= 0)
                {
                    Age(_actors[i], frame, seconds);
                }
            }
        }

        private Actor Of(long track)
        {
            for (int i = 0; i < _actors.Count; i++)
            {
                if (_actors[i].Track == track)
                {
                    return _actors[i];
                }
            }
            return null;
        }

        private void Take(PersonPose person)
        {
            int prefab = person.Slot % prefabs.Length;
            if (prefabs[prefab] == null)
            {
                return;
            }
            Actor actor = Free(prefab) ?? Make(prefab);
            actor.Track = person.TrackId;
            actor.Shown = fade > 0f && scaleWhileFading ? 0f : 1f;
            actor.Gone = 0f;
            actor.Avatar.source = source;
            actor.Avatar.hold = hold + fade;
            actor.Avatar.fade = 0f;
            actor.Root.SetActive(true);
            actor.Avatar.Follow(person.TrackId);
            if (Appeared != null)
            {
                Appeared(actor.Avatar);
            }
        }

        private Actor Free(int prefab)
        {
            for (int i = 0; i < _actors.Count; i++)
            {
                if (_actors[i].Track < 0 && _actors[i].Prefab == prefab && _actors[i].Root != null)
                {
                    return _actors[i];
                }
            }
            return null;
        }

        private Actor Make(int prefab)
        {
            GameObject root = Instantiate(prefabs[prefab], transform);
            PosestreamAvatar avatar = root.GetComponentInChildren<PosestreamAvatar>();
            if (avatar == null)
            {
                avatar = root.AddComponent<PosestreamAvatar>();
            }
            Actor actor = new Actor { Root = root, Avatar = avatar, Prefab = prefab, Scale = root.transform.localScale };
            _actors.Add(actor);
            return actor;
        }

        private void Age(Actor actor, PoseFrame frame, float seconds)
        {
            PersonPose person = frame.FindTrack(actor.Track);
            bool there = person != null && person.State != TrackState.Lost;
            actor.Gone = there ? 0f : actor.Gone + seconds;
            if (actor.Gone > hold + fade)
            {
                Release(actor);
                return;
            }
            float goal = actor.Gone > hold ? 0f : 1f;
            actor.Shown = fade > 0f && scaleWhileFading ? Mathf.MoveTowards(actor.Shown, goal, seconds / fade) : 1f;
            if (!actor.Avatar.matchSize)
            {
                actor.Root.transform.localScale = actor.Scale * Mathf.Max(actor.Shown, 0.001f);
            }
        }

        private void Release(Actor actor)
        {
            if (Left != null)
            {
                Left(actor.Avatar);
            }
            actor.Track = -1;
            if (actor.Root != null)
            {
                actor.Root.transform.localScale = actor.Scale;
                actor.Root.SetActive(false);
            }
        }
    }
}
