using System.Threading;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;

namespace Posestream.Tests
{
    [TestFixture]
    public class EditorTests
    {
        [SetUp]
        public void SetUp()
        {
            Application.isPlaying = false;
            EditorGUILayout.Shown.Clear();
        }

        [TearDown]
        public void TearDown()
        {
            EditModePreview.Stop();
            Application.isPlaying = true;
        }

        [Test]
        public void AClickConnectsAnAvatarMovesAndIsPutBack()
        {
            PosestreamSource source = new GameObject("source").AddSilently<PosestreamSource>();
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamWindow window = new PosestreamWindow { Source = source };
            window.Assign(0, humanoid.Animator);
            Quaternion before = humanoid.Bone[Bones.RightLowerArm].localRotation;
            GUILayout.Press = "Test wave";
            window.Draw();
            Assert.IsTrue(EditModePreview.Running);
            for (int i = 0; i < 30; i++)
            {
                Thread.Sleep(20);
                EditorApplication.update();
            }
            Assert.Greater(Quaternion.Angle(before, humanoid.Bone[Bones.RightLowerArm].localRotation), 10f);
            window.Draw();
            CollectionAssert.Contains(EditorGUILayout.Shown, "1 person:");
            GUILayout.Press = "Disconnect";
            window.Draw();
            Assert.IsFalse(EditModePreview.Running);
            Assert.AreEqual(before, humanoid.Bone[Bones.RightLowerArm].localRotation);
        }

        [Test]
        public void WhatIsWrongWithAnAvatarIsShown()
        {
            PosestreamWindow window = new PosestreamWindow { Source = new GameObject("source").AddSilently<PosestreamSource>() };
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            humanoid.Animator.avatar.isHuman = false;
            window.Assign(0, humanoid.Animator);
            window.Draw();
            Assert.IsTrue(EditorGUILayout.Shown.Exists(text => text.Contains("Animation Type: Humanoid")));
            PosestreamAvatarEditor inspector = new PosestreamAvatarEditor { target = humanoid.Root.AddSilently<PosestreamAvatar>() };
            EditorGUILayout.Shown.Clear();
            inspector.OnInspectorGUI();
            Assert.IsTrue(EditorGUILayout.Shown.Exists(text => text.Contains("Animation Type: Humanoid")));
        }

        [Test]
        public void AClipHasACurveForEveryMuscle()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = humanoid.Root.AddSilently<PosestreamAvatar>();
            avatar.Bind();
            using (ClipRecorder recorder = new ClipRecorder(avatar))
            {
                for (int i = 0; i < 10; i++)
                {
                    recorder.Take(0.1f);
                }
                AnimationClip clip = recorder.Clip(60f);
                Assert.AreEqual(7 + HumanTrait.MuscleCount, clip.Curves.Count);
                Assert.AreEqual(10, clip.Curves["RootT.y"].keys.Length);
                Assert.AreEqual(0.9f, clip.Curves["RootT.y"].keys[9].time, 1e-5f);
            }
            Assert.AreEqual("LeftHand.Thumb.1 Stretched", ClipRecorder.Property("Left Thumb 1 Stretched"));
            Assert.AreEqual("Spine Front-Back", ClipRecorder.Property("Spine Front-Back"));
        }

        [TestCase("posestream run", "posestream", "run")]
        [TestCase("\"C:\\My Tools\\posestream.exe\" run camera:1", "C:\\My Tools\\posestream.exe", "run camera:1")]
        [TestCase("posestream", "posestream", "")]
        public void CommandsAreTakenApart(string command, string file, string arguments)
        {
            string f, a;
            DaemonProcess.Split(command, out f, out a);
            Assert.AreEqual(file, f);
            Assert.AreEqual(arguments, a);
        }

        [Test]
        public void ADaemonThatIsNotThereIsExplained()
        {
            string before = DaemonProcess.Command;
            try
            {
                DaemonProcess.Command = "/no/such/program run";
                StringAssert.Contains("give the full path", DaemonProcess.Start());
                Assert.IsFalse(DaemonProcess.Running);
            }
            finally
            {
                DaemonProcess.Command = before;
            }
        }
    }
}
