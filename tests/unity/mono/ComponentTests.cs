using System;
using NUnit.Framework;
using UnityEngine;

namespace Posestream.Tests
{
    [TestFixture]
    public class ComponentTests
    {
        private const float Frame60 = 1f / 60f;
        private ScriptedFeed _feed;
        private PosestreamSource _source;

        [SetUp]
        public void SetUp()
        {
            Application.isPlaying = true;
            Physics.Ground = (x, z) => float.NaN;
            _feed = new ScriptedFeed();
            _source = new GameObject("source").AddSilently<PosestreamSource>();
            _source.Use(_feed);
        }

        private PosestreamAvatar Avatar(FakeHumanoid humanoid)
        {
            PosestreamAvatar avatar = humanoid.Root.AddSilently<PosestreamAvatar>();
            avatar.source = _source;
            avatar.fade = 0f;
            avatar.Bind();
            return avatar;
        }

        private void Step(PosestreamAvatar avatar, int frames = 1)
        {
            for (int i = 0; i < frames; i++)
            {
                _source.Tick(1);
                avatar.Apply(Frame60);
            }
        }

        [Test]
        public void AnAvatarTakesThePose()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own(), true);
            PosestreamAvatar avatar = Avatar(humanoid);
            Assert.IsNull(avatar.Problem);
            _feed.People(1);
            Quat raised = Quat.AngleAxis(0.8f, new Vec3(0f, 0f, 1f));
            _feed.Frame[0].Rotations[Bones.LeftUpperArm] = raised;
            _feed.Frame[0].RootPosition = new Vec3(1f, 0.9f, 2f);
            Step(avatar);
            Vector3 arm = humanoid.Bone[Bones.LeftLowerArm].position - humanoid.Bone[Bones.LeftUpperArm].position;
            Vector3 wanted = (raised * new Vec3(-0.27f, 0f, 0f)).ToUnity();
            Assert.AreEqual(0f, (arm - wanted).magnitude, 1e-4f);
            Assert.AreEqual(0f, (humanoid.Bone[Bones.Hips].position - new Vector3(1f, 0.9f, 2f)).magnitude, 1e-4f);
            Assert.AreEqual(1f, avatar.Presence);
        }

        [Test]
        public void TheRestPoseIsTheDescriptionsNotTheScenes()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own(), true);
            humanoid.Disturb(4);
            PosestreamAvatar avatar = Avatar(humanoid);
            _feed.People(1);
            Step(avatar);
            Vector3 hand = humanoid.Bone[Bones.LeftHand].position - humanoid.Bone[Bones.LeftUpperArm].position;
            Assert.AreEqual(0f, (hand - new Vector3(-0.52f, 0f, 0f)).magnitude, 1e-4f);
        }

        [Test]
        public void OnePersonDoesNotMoveTheOther()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = Avatar(humanoid);
            avatar.slot = 1;
            _feed.People(2);
            _feed.Frame[0].RootPosition = new Vec3(9f, 9f, 9f);
            _feed.Frame[1].RootPosition = new Vec3(1f, 1f, 1f);
            Step(avatar);
            Assert.AreEqual(1f, humanoid.Bone[Bones.Hips].position.x, 1e-4f);
            avatar.Follow(100);
            Step(avatar);
            Assert.AreEqual(9f, humanoid.Bone[Bones.Hips].position.x, 1e-4f);
        }

        [Test]
        public void MasksAndWeightsLeaveTheRestToTheAnimator()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            humanoid.Animator.runtimeAnimatorController = new RuntimeAnimatorController();
            PosestreamAvatar avatar = Avatar(humanoid);
            avatar.bones = BoneGroups.UpperBody;
            avatar.weight = 0.5f;
            Quaternion animated = new Quaternion(0.38268343f, 0f, 0f, 0.92387953f);
            _feed.People(1);
            for (int i = 0; i < 5; i++)
            {
                foreach (int bone in new[] { Bones.LeftUpperLeg, Bones.Head })
                {
                    humanoid.Bone[bone].localRotation = animated;
                }
                Step(avatar);
            }
            Assert.AreEqual(0f, Quaternion.Angle(animated, humanoid.Bone[Bones.LeftUpperLeg].localRotation), 0.1f);
            Assert.AreEqual(22.5f, Quaternion.Angle(animated, humanoid.Bone[Bones.Head].localRotation), 0.1f);
        }

        [Test]
        public void UnknownBonesGoOverToTheBasePose()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = Avatar(humanoid);
            _feed.People(1);
            _feed.Frame[0].Rotations[Bones.LeftHand] = Quat.AngleAxis(1f, new Vec3(0f, 1f, 0f));
            Step(avatar);
            Assert.AreEqual(57.3f, Quaternion.Angle(Quaternion.identity, humanoid.Bone[Bones.LeftHand].localRotation), 0.1f);
            _feed.Frame[0].BoneValid &= ~(1UL << Bones.LeftHand);
            Step(avatar);
            float first = Quaternion.Angle(Quaternion.identity, humanoid.Bone[Bones.LeftHand].localRotation);
            Assert.That(first, Is.InRange(45f, 57f), "it does not jump");
            Step(avatar, 30);
            Assert.AreEqual(0f, Quaternion.Angle(Quaternion.identity, humanoid.Bone[Bones.LeftHand].localRotation), 0.1f);
        }

        [Test]
        public void WhoeverLeavesIsHeldThenFadesToTheAnimator()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = Avatar(humanoid);
            avatar.hold = 0.5f;
            avatar.fade = 0.5f;
            _feed.People(1);
            _feed.Frame[0].Rotations[Bones.Head] = Quat.AngleAxis(0.5f, new Vec3(0f, 1f, 0f));
            Step(avatar, 40);
            Assert.AreEqual(1f, avatar.Presence);
            _feed.Frame[0].State = TrackState.Lost;
            Step(avatar, 24);
            Assert.AreEqual(1f, avatar.Presence);
            Assert.IsFalse(avatar.Tracked);
            Step(avatar, 20);
            Assert.That(avatar.Presence, Is.InRange(0.3f, 0.8f));
            _feed.People(0);
            Step(avatar, 40);
            Assert.AreEqual(0f, avatar.Presence);
            Assert.AreEqual(0f, Quaternion.Angle(Quaternion.identity, humanoid.Bone[Bones.Head].localRotation), 0.01f);
        }

        [Test]
        public void TheSizeOfThePersonCanBeTaken()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own(), false, 2f);
            PosestreamAvatar avatar = Avatar(humanoid);
            avatar.matchSize = true;
            avatar.rootMode = RootMode.Metric;
            _feed.People(1);
            _feed.Frame[0].HipHeight = 0.46f;
            _feed.Frame[0].RootPosition = new Vec3(0f, 0.46f, 3f);
            Step(avatar, 600);
            Assert.AreEqual(0.5f, humanoid.Root.transform.localScale.x, 1e-3f);
            Assert.AreEqual(0.46f, humanoid.Bone[Bones.Hips].position.y, 1e-3f);
            Assert.AreEqual(3f, humanoid.Bone[Bones.Hips].position.z, 1e-3f);
            Assert.AreEqual(0.46f, humanoid.Bone[Bones.Hips].position.y - humanoid.Bone[Bones.LeftFoot].position.y + 0.04f, 0.01f);
        }

        [Test]
        public void AnAvatarThatIsNoHumanoidSaysWhatToDo()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            humanoid.Animator.avatar.isHuman = false;
            StringAssert.Contains("Animation Type: Humanoid", AvatarCheck.Problem(humanoid.Animator));
            humanoid.Animator.avatar = null;
            StringAssert.Contains("no Avatar", AvatarCheck.Problem(humanoid.Animator));
            StringAssert.Contains("no Animator", AvatarCheck.Problem(null));
            PosestreamAvatar avatar = Avatar(humanoid);
            Assert.IsNotNull(avatar.Problem);
            _feed.People(1);
            Step(avatar);
        }

        [Test]
        public void MissingBonesAreNamed()
        {
            RestRig rest = RestRig.Own();
            rest.Present[Bones.UpperChest] = rest.Present[Bones.LeftToes] = false;
            FakeHumanoid humanoid = new FakeHumanoid(rest);
            StringAssert.Contains("UpperChest, LeftToes", AvatarCheck.Warnings(humanoid.Animator)[0]);
            Assert.IsNull(AvatarCheck.Problem(humanoid.Animator));
        }

        [Test]
        public void PeopleComeAndGoWithTheirAvatars()
        {
            GameObject prefab = new GameObject("prefab") { Copier = () => new FakeHumanoid(RestRig.Own()).Root };
            PosestreamSpawner spawner = new GameObject("spawner").AddSilently<PosestreamSpawner>();
            spawner.source = _source;
            spawner.prefabs = new[] { prefab };
            spawner.hold = 0.2f;
            spawner.fade = 0.2f;
            int appeared = 0, left = 0;
            spawner.Appeared += _ => appeared++;
            spawner.Left += _ => left++;
            _feed.People(3);
            for (int i = 0; i < 30; i++)
            {
                _source.Tick(1);
                spawner.Tick(Frame60);
            }
            Assert.AreEqual(3, spawner.Count);
            Assert.AreEqual(3, appeared);
            _feed.People(1);
            for (int i = 0; i < 30; i++)
            {
                _source.Tick(1);
                spawner.Tick(Frame60);
            }
            Assert.AreEqual(1, spawner.Count);
            Assert.AreEqual(2, left);
            _feed.People(3);
            _source.Tick(1);
            spawner.Tick(Frame60);
            Assert.AreEqual(3, spawner.Count);
            Assert.AreEqual(3, spawner.transform.childCount, "avatars are used again");
            spawner.maxPeople = 3;
            _feed.People(5);
            _source.Tick(1);
            spawner.Tick(Frame60);
            Assert.AreEqual(3, spawner.Count);
        }

        [Test]
        public void FeetStandOnTheGroundOfTheScene()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = Avatar(humanoid);
            PosestreamFootIk ik = humanoid.Root.AddSilently<PosestreamFootIk>();
            GameObject.Send(ik, "OnEnable");
            ik.softness = 0f;
            _feed.People(1);
            Physics.Ground = (x, z) => x < 0f ? 0.15f : -0.1f;
            float before = 0f;
            for (int i = 0; i < 3; i++)
            {
                Step(avatar);
                before = humanoid.Bone[Bones.LeftFoot].position.y;
                ik.Tick(Frame60);
            }
            Assert.AreEqual(before + 0.15f, humanoid.Bone[Bones.LeftFoot].position.y, 2e-3f);
            Assert.AreEqual(before - 0.1f, humanoid.Bone[Bones.RightFoot].position.y, 2e-3f);
            Assert.Greater(humanoid.Bone[Bones.LeftLowerLeg].position.z, 0.05f, "the knee bends forwards");
            Vector3 thigh = humanoid.Bone[Bones.LeftLowerLeg].position - humanoid.Bone[Bones.LeftUpperLeg].position;
            Assert.AreEqual(0.41f, thigh.magnitude, 1e-4f);
        }

        [Test]
        public void TheFaceIsFoundByManyNames()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = Avatar(humanoid);
            SkinnedMeshRenderer mesh = humanoid.Root.AddComponent<SkinnedMeshRenderer>();
            mesh.sharedMesh = new Mesh { Shapes = new[] { "Face.M_F00_Fcl_MTH_A", "Face.Fcl_MTH_A", "eyeBlinkLeft", "JOY" } };
            PosestreamFace face = humanoid.Root.AddComponent<PosestreamFace>();
            _feed.People(1);
            _feed.Frame[0].ExpressionCount = Bones.Expressions.Length;
            _feed.Frame[0].Expressions[Array.IndexOf(Bones.Expressions, "aa")] = 0.5f;
            _feed.Frame[0].Expressions[Array.IndexOf(Bones.Expressions, "blinkLeft")] = 0.75f;
            _feed.Frame[0].Expressions[Array.IndexOf(Bones.Expressions, "eyeBlinkLeft")] = 0.25f; // exact names come first
            _feed.Frame[0].Expressions[Array.IndexOf(Bones.Expressions, "jawOpen")] = 1f; // aa has its own value
            _feed.Frame[0].Expressions[Array.IndexOf(Bones.Expressions, "happy")] = 1f;
            Step(avatar);
            face.Tick();
            Assert.AreEqual(50f, mesh.GetBlendShapeWeight(1));
            Assert.AreEqual(25f, mesh.GetBlendShapeWeight(2));
            Assert.AreEqual(100f, mesh.GetBlendShapeWeight(3));
            Assert.AreEqual(0f, mesh.GetBlendShapeWeight(0));
            Assert.AreEqual(3, face.Found);
        }

        [Test]
        public void UniVrmIsUsedWhereItIs()
        {
            FakeHumanoid old = new FakeHumanoid(RestRig.Own());
            FakeHumanoid now = new FakeHumanoid(RestRig.Own());
            VRM.VRMBlendShapeProxy proxy = old.Root.AddComponent<VRM.VRMBlendShapeProxy>();
            UniVRM10.Vrm10Instance instance = now.Root.AddComponent<UniVRM10.Vrm10Instance>();
            PosestreamFace.SinkMakers.Clear();
            PosestreamFace.SinkMakers.Add(Vrm0Expressions.Make);
            PosestreamFace.SinkMakers.Add(Vrm1Expressions.Make);
            try
            {
                _feed.People(1);
                _feed.Frame[0].ExpressionCount = Bones.Expressions.Length;
                _feed.Frame[0].Expressions[Array.IndexOf(Bones.Expressions, "happy")] = 0.75f;
                foreach (FakeHumanoid humanoid in new[] { old, now })
                {
                    PosestreamAvatar avatar = Avatar(humanoid);
                    PosestreamFace face = humanoid.Root.AddComponent<PosestreamFace>();
                    Step(avatar);
                    face.Tick();
                }
                Assert.AreEqual(0.75f, proxy.Values["Joy"]);
                Assert.AreEqual(1, proxy.Applied);
                Assert.AreEqual(0.75f, instance.Runtime.Expression.Values["happy"]);
            }
            finally
            {
                PosestreamFace.SinkMakers.Clear();
            }
        }

        [Test]
        public void TheCameraStandsAndLooksAsTheRealOne()
        {
            byte[] data = Convert.FromBase64String(GoldenMessages.HelloUnity);
            WireError error;
            _feed.Hello = HelloMessage.Decode(data, 0, data.Length, out error);
            GameObject view = new GameObject("camera");
            Camera camera = view.AddComponent<Camera>();
            PosestreamCamera matched = view.AddSilently<PosestreamCamera>();
            matched.source = _source;
            _source.transform.localPosition = new Vector3(5f, 0f, 0f);
            GameObject.Send(matched, "OnEnable");
            matched.Tick();
            Assert.AreEqual(5f, view.transform.position.x, 1e-5f);
            // a level camera looks along -Z of a world in which people who face it face +Z
            Assert.AreEqual(-1f, view.transform.forward.z, 1e-5f);
            Assert.AreEqual(2f * 500f / 640f, camera.projectionMatrix[0, 0], 1e-5f);
            Assert.AreEqual(-1f, camera.projectionMatrix[3, 2], 1e-5f);
            Assert.AreEqual(0.75f, camera.rect.width, 1e-3f);
        }

        [Test]
        public void Allocates0BytesPerFrame()
        {
            FakeHumanoid humanoid = new FakeHumanoid(RestRig.Own());
            PosestreamAvatar avatar = Avatar(humanoid);
            avatar.mirror = true;
            avatar.smoothing = 0.05f;
            SkinnedMeshRenderer mesh = humanoid.Root.AddComponent<SkinnedMeshRenderer>();
            mesh.sharedMesh = new Mesh { Shapes = Bones.Expressions };
            PosestreamFace face = humanoid.Root.AddComponent<PosestreamFace>();
            _feed.People(1);
            _feed.Frame[0].ExpressionCount = Bones.Expressions.Length;
            Assert.AreEqual(0, Allocations.Of(500, () =>
            {
                _source.Tick(1);
                avatar.Apply(Frame60);
                face.Tick();
            }));
            System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
            for (int i = 0; i < 3000; i++)
            {
                _source.Tick(1);
                avatar.Apply(Frame60);
            }
            Console.WriteLine("avatar with mirror and smoothing   {0,6:0.0} us", watch.Elapsed.TotalMilliseconds / 3.0);
        }
    }
}
