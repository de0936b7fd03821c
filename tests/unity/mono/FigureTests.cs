using NUnit.Framework;
using UnityEngine;

namespace Posestream.Tests
{
    /// <summary>The avatar for who has none: a complete Humanoid, moved like any other.</summary>
    [TestFixture]
    public class FigureTests
    {
        private static GameObject Figure(string name = "figure")
        {
            GameObject root = new GameObject(name);
            PosestreamAvatar avatar = root.AddSilently<PosestreamAvatar>();
            avatar.rootMode = RootMode.Metric;
            avatar.fade = 0f;
            GameObject.Send(root.AddSilently<PosestreamFigure>(), "Awake");
            GameObject.Send(avatar, "OnEnable");
            return root;
        }

        [Test]
        public void IsAHumanoidWithoutFault()
        {
            GameObject root = Figure();
            Animator animator = root.GetComponent<Animator>();
            Assert.IsNull(AvatarCheck.Problem(animator));
            Assert.IsNull(root.GetComponent<PosestreamAvatar>().Problem);
            CollectionAssert.AreEqual(
                new[] { "No finger bones are assigned: fingers will not move." }, AvatarCheck.Warnings(animator));
            RestRig own = RestRig.Own();
            for (int bone = 0; bone < Bones.Count; bone++)
            {
                Transform found = animator.GetBoneTransform((HumanBodyBones)bone);
                Assert.AreEqual(PosestreamFigure.Has(bone), found != null, Bones.Names[bone]);
                if (found != null)
                {
                    Assert.Less((found.position.ToCore() - own.Position[bone]).Length, 1e-5f, Bones.Names[bone]);
                }
            }
        }

        [Test]
        public void StandsWhereThePersonDoes()
        {
            ScriptedFeed feed = new ScriptedFeed();
            PosestreamSource source = new GameObject("source").AddSilently<PosestreamSource>();
            source.Use(feed);
            GameObject root = Figure();
            PosestreamAvatar avatar = root.GetComponent<PosestreamAvatar>();
            avatar.source = source;
            feed.People(1);
            feed.Frame[0].RootPosition = new Vec3(0.5f, 0.9f, -3f);
            feed.Frame[0].Rotations[Bones.LeftUpperArm] = Quat.AngleAxis(1f, new Vec3(0f, 0f, 1f));
            source.Tick(1);
            avatar.Apply(1f / 60f);
            Animator animator = root.GetComponent<Animator>();
            Assert.Less((animator.GetBoneTransform(HumanBodyBones.Hips).position - new Vector3(0.5f, 0.9f, -3f)).magnitude, 1e-4f);
            Quaternion arm = animator.GetBoneTransform(HumanBodyBones.LeftUpperArm).rotation;
            Assert.Less(Quat.Angle(arm.ToCore(), feed.Frame[0].Rotations[Bones.LeftUpperArm]), 1e-4f);
        }

        [Test]
        public void AnAvatarOfTheUsersOwnIsLeftAlone()
        {
            FakeHumanoid own = new FakeHumanoid(RestRig.Own());
            Avatar before = own.Animator.avatar;
            GameObject.Send(own.Root.AddSilently<PosestreamFigure>(), "Awake");
            Assert.AreSame(before, own.Animator.avatar);
        }
    }
}
