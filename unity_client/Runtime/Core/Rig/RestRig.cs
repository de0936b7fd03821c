namespace Posestream
{
    /// <summary>
    /// How an avatar's bones stand in its rest pose, avatar space (Unity's axes, facing +Z), without an engine.
    /// Rows of bones that it lacks are not read.
    /// </summary>
    public sealed class RestRig
    {
        public readonly bool[] Present = new bool[Bones.Count];
        public readonly Vec3[] Position = new Vec3[Bones.Count];
        public readonly Quat[] Rotation = new Quat[Bones.Count];

        /// <summary>Rotation of the transform above each bone, which need not be a bone itself.</summary>
        public readonly Quat[] AboveRotation = new Quat[Bones.Count];

        /// <summary>The nearest bone above that the avatar has, -1 for none.</summary>
        public int ParentOf(int bone)
        {
            int parent = Bones.Parent[bone];
            while (parent >= 0 && !Present[parent])
            {
                parent = Bones.Parent[parent];
            }
            return parent;
        }

        /// <summary>Our own skeleton: every rotation is the identity.</summary>
        public static RestRig Own()
        {
            RestRig rig = new RestRig();
            foreach (int bone in Bones.Order)
            {
                int parent = Bones.Parent[bone];
                rig.Present[bone] = true;
                rig.Rotation[bone] = rig.AboveRotation[bone] = Quat.Identity;
                rig.Position[bone] = Bones.RestOffset[bone] + (parent < 0 ? Vec3.Zero : rig.Position[parent]);
            }
            return rig;
        }
    }
}
