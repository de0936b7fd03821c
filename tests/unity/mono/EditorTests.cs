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

        private static string Inspect(UnityEditor.Editor inspector, Object target)
        {
            inspector.target = target;
            EditorGUILayout.Shown.Clear();
            inspector.OnInspectorGUI();
            return string.Join("\n", EditorGUILayout.Shown.ToArray());
        }

        [Test]
        public void TheInspectorOfASpawnerSaysWhatItNeeds()
        {
            PosestreamSpawner spawner = new GameObject("source").AddSilently<PosestreamSpawner>();
            PosestreamSpawnerEditor inspector = new PosestreamSpawnerEditor();
            StringAssert.Contains("Put Humanoid prefabs into Prefabs", Inspect(inspector, spawner));
            FakeHumanoid wrong = new FakeHumanoid(RestRig.Own());
            wrong.Animator.avatar.isHuman = false;
            spawner.prefabs = new[] { wrong.Root, null };
            string said = Inspect(inspector, spawner);
            StringAssert.Contains("avatar: The Avatar is not a Humanoid", said);
            StringAssert.Contains("A prefab is missing", said);
            GameObject figure = new GameObject("figure");
            figure.AddSilently<PosestreamFigure>();
            spawner.source = new GameObject("source").AddSilently<PosestreamSource>();
            spawner.prefabs = new[] { figure, new FakeHumanoid(RestRig.Own()).Root };
            Assert.AreEqual("", Inspect(inspector, spawner));
        }

        [Test]
        public void TheInspectorOfACameraSaysWhatThePictureNeeds()
        {
            PosestreamCamera camera = new GameObject("camera").AddSilently<PosestreamCamera>();
            PosestreamCameraEditor inspector = new PosestreamCameraEditor();
            camera.source = new GameObject("source").AddSilently<PosestreamSource>();
            Assert.AreEqual("", Inspect(inspector, camera));
            camera.background = true;
            StringAssert.Contains("needs Picture", Inspect(inspector, camera));
            camera.source.stream.Picture = true;
            StringAssert.Contains("Lock To Picture", Inspect(inspector, camera));
            camera.source.lockToPicture = true;
            Assert.AreEqual("", Inspect(inspector, camera));
        }

        [Test]
        public void TheInspectorsOfFeetSourceAndFaceHelp()
        {
            GameObject root = new FakeHumanoid(RestRig.Own()).Root;
            root.AddSilently<PosestreamAvatar>().rootMode = RootMode.None;
            string feet = Inspect(new PosestreamFootIkEditor(), root.AddSilently<PosestreamFootIk>());
            StringAssert.Contains("Collider", feet);
            StringAssert.Contains("Root Mode None", feet);
            PosestreamSource source = new GameObject("source").AddSilently<PosestreamSource>();
            source.lockToPicture = true;
            string stream = Inspect(new PosestreamSourceEditor(), source);
            StringAssert.Contains("Not connected.", stream);
            StringAssert.Contains("Lock To Picture needs Picture", stream);
            Application.isPlaying = true;
            StringAssert.Contains("No expression is found", Inspect(new PosestreamFaceEditor(), root.AddSilently<PosestreamFace>()));
        }

        [Test]
        public void AConfiguredCommandStartsTheDaemonAndAClickConnects()
        {
            string before = DaemonProcess.Command;
            int port = Daemon.FreePort();
            PosestreamSource source = new GameObject("source").AddSilently<PosestreamSource>();
            source.stream.Address = "ws://127.0.0.1:" + port;
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamWindow window = new PosestreamWindow { Source = source };
            window.Assign(0, humanoid.Animator);
            try
            {
                DaemonProcess.Command = "\"" + Daemon.Python + "\" -m posestream run synthetic:people=1,size=448x252 --backend fake --no-panel --set websocket.port="
                    + port + " --set vmc.port=" + Daemon.FreePort();
                Press(window, "Start the daemon");
                Assert.IsTrue(DaemonProcess.Running, DaemonProcess.Output);
                Press(window, "Connect");
                for (int i = 0; i < 1500 && source.Frame.Count == 0; i++)
                {
                    Thread.Sleep(20);
                    EditorApplication.update();
                }
                Assert.AreEqual(1, source.Frame.Count, source.Status + DaemonProcess.Output);
                EditorGUILayout.Shown.Clear();
                window.Draw();
                string shown = string.Join("\n", EditorGUILayout.Shown.ToArray());
                StringAssert.Contains("Connected to ws://127.0.0.1:" + port, shown);
                StringAssert.Contains("1 person:", shown);
                StringAssert.Contains("Camera to avatar", shown);
                Press(window, "Disconnect");
                Press(window, "Stop the daemon");
                Assert.IsFalse(DaemonProcess.Running);
            }
            finally
            {
                DaemonProcess.Stop();
                DaemonProcess.Command = before;
            }
        }

        private static void Press(PosestreamWindow window, string button)
        {
            GUILayout.Press = button;
            window.Draw();
            Assert.IsNull(GUILayout.Press, button + " is not there");
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
