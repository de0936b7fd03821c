namespace Posestream
{
    /// <summary>A virtual camera that sees what the real one saw.</summary>
    public static class CameraMatch
    {
        /// <summary>
        /// The sixteen numbers, row by row, of a projection in OpenGL's clip space for a camera that looks along -Z of
        /// its view. Pixel centres lie at whole numbers; without distortion.
        /// </summary>
        public static void Projection(double[] k, int width, int height, double near, double far, double[] into)
        {
            System.Array.Clear(into, 0, 16);
            into[0] = 2 * k[0] / width;
            into[1] = -2 * k[1] / width;
            into[2] = 1 - 2 * (k[2] + 0.5) / width;
            into[5] = 2 * k[4] / height;
            into[6] = 2 * (k[5] + 0.5) / height - 1;
            into[10] = -(far + near) / (far - near);
            into[11] = -2 * far * near / (far - near);
            into[14] = -1;
        }

        /// <summary>Where the camera stands and how it is turned, from a pose row by row.</summary>
        public static void Pose(double[] pose, out Vec3 position, out Quat rotation)
        {
            position = new Vec3((float)pose[3], (float)pose[7], (float)pose[11]);
            rotation = Quat.FromAxes(
                new Vec3((float)pose[0], (float)pose[4], (float)pose[8]),
                new Vec3((float)pose[1], (float)pose[5], (float)pose[9]),
                new Vec3((float)pose[2], (float)pose[6], (float)pose[10]));
        }
    }
}
