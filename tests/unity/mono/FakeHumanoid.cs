using System;
using System.Collections.Generic;
using UnityEngine;

namespace Posestream.Tests
{
    /// <summary>A Humanoid in the fake scene, from rest positions and rotations in avatar space.</summary>
    public sealed class FakeHumanoid
    {
        public readonly GameObject Root;
        public readonly Animator Animator;
        public readonly Transform[] Bone = new Transform[Bones.Count];

        /// <summary>helpers: a transform that is no bone lies above every second bone, turned arbitrarily.</summary>
        public FakeHumanoid(RestRig rest, bool helpers = false, float scale = 1f)
        {
            Root = new GameObject("avatar");
            Root.transform.localScale = new Vector3(scale, scale, scale);
            Animator = Root.AddSilently<Animator>();
            List<SkeletonBone> skeleton = new List<SkeletonBone>();
            Transform armature = Child("Armature", Root.transform, new Vector3(0f, 0.01f, 0f), new Quaternion(-0.70710678f, 0f, 0f, 0.70710678f));
            skeleton.Add(Entry(armature));
            foreach (int bone in Bones.Order)
            {
                if (!rest.Present[bone])
                {
                    continue;
                }
                int parent = rest.ParentOf(bone);
                Transform above = parent < 0 ? armature : Bone[parent];
                if (helpers && bone % 2 == 0)
                {
                    above = Child("Helper" + bone, above, new Vector3(0f, 0.02f, 0.01f), new Quaternion(0.5f, -0.5f, 0.5f, 0.5f));
                    skeleton.Add(Entry(above));
                }
                Bone[bone] = Child("bone_" + Bones.Names[bone], above, Vector3.zero, Quaternion.identity);
                Bone[bone].position = Root.transform.TransformPoint(rest.Position[bone].ToUnity());
                Bone[bone].rotation = rest.Rotation[bone].ToUnity();
                skeleton.Add(Entry(Bone[bone]));
                Animator.Table[(HumanBodyBones)bone] = Bone[bone];
            }
            Animator.avatar = new Avatar { humanDescription = new HumanDescription { skeleton = skeleton.ToArray() } };
        }

        private static Transform Child(string name, Transform parent, Vector3 position, Quaternion rotation)
        {
            Transform child = new GameObject(name).transform;
            child.SetParent(parent, false);
            child.localPosition = position;
            child.localRotation = rotation;
            return child;
        }

        private static SkeletonBone Entry(Transform t) =>
            new SkeletonBone { name = t.name, position = t.localPosition, rotation = t.localRotation, scale = t.localScale };

        /// <summary>Somebody has moved the bones since the avatar was made.</summary>
        public void Disturb(int seed)
        {
            System.Random random = new System.Random(seed);
            foreach (Transform bone in Bone)
            {
                if (bone != null)
                {
                    bone.localRotation = new Quaternion((float)random.NextDouble(), (float)random.NextDouble(), (float)random.NextDouble(), 1f);
                }
            }
        }
    }

    /// <summary>People that a test sets.</summary>
    public sealed class ScriptedFeed : IPoseFeed
    {
        public readonly PoseFrame Frame = new PoseFrame();

        public FeedState State { get; private set; }

        public string Status => "scripted";

        public HelloMessage Hello { get; set; }

        public void Start() => State = FeedState.Connected;

        public void Stop() => State = FeedState.Stopped;

        public void Dispose() => Stop();

        public bool Sample(long nowNs, PoseFrame into)
        {
            into.CopyFrom(Frame);
            return true;
        }

        public void Measure(FeedFigures figures)
        {
        }

        /// <summary>So many people in the T-pose, all bones known.</summary>
        public void People(int count)
        {
            Frame.SetCount(count);
            for (int i = 0; i < count; i++)
            {
                Frame[i].Clear();
                Frame[i].Slot = i;
                Frame[i].TrackId = 100 + i;
                Frame[i].Confidence = 1f;
                Frame[i].BoneValid = (1UL << Bones.Count) - 1;
            }
        }
    }
}
