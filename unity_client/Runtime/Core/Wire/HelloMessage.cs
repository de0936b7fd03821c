using System.Text;

namespace Posestream
{
    /// <summary>What the daemon says of itself and of its camera; Unity's axes.</summary>
    public sealed class HelloMessage
    {
        public string DaemonVersion { get; private set; }

        public long MonotonicNs { get; private set; }

        public long UtcOffsetNs { get; private set; }

        /// <summary>Frames per second of the source, 0 = not known.</summary>
        public double SourceFps { get; private set; }

        public int Slots { get; private set; }

        public string[] BoneNames { get; private set; }

        public string[] ExpressionNames { get; private set; }

        public int WidthPx { get; private set; }

        public int HeightPx { get; private set; }

        /// <summary>Intrinsics, row by row; pixel centres at whole numbers.</summary>
        public double[] CameraK { get; private set; }

        /// <summary>Pose, row by row; camera axes x right, Y up, looking along +Z.</summary>
        public double[] CameraPose { get; private set; }

        /// <summary>OpenCV's coefficients.</summary>
        public double[] Distortion { get; private set; }

        /// <summary>Whether bones are numbered as here, so that frames mean what they say.</summary>
        public bool BonesMatch { get; private set; }

        /// <summary>Reads a hello; null and the reason if it is none.</summary>
        public static HelloMessage Decode(byte[] data, int offset, int count, out WireError error)
        {
            MessageScan scan = new MessageScan();
            error = scan.Scan(HelloLayout.Rule, data, offset, count);
            if (error != WireError.None)
            {
                return null;
            }
            int head = scan.At(HelloLayout.Hello);
            int camera = scan.At(HelloLayout.Camera);
            HelloMessage hello = new HelloMessage
            {
                MonotonicNs = Little.I64(data, head + HelloLayout.HelloTMonotonicNsAt),
                UtcOffsetNs = Little.I64(data, head + HelloLayout.HelloUtcOffsetNsAt),
                SourceFps = Little.F64(data, head + HelloLayout.HelloSourceFpsAt),
                Slots = Little.U16(data, head + HelloLayout.HelloSlotsAt),
                DaemonVersion = Text(data, scan, HelloLayout.DaemonVersion),
                BoneNames = Names(data, scan, HelloLayout.BoneNames, Little.U16(data, head + HelloLayout.HelloBonesAt)),
                ExpressionNames = Names(
                    data, scan, HelloLayout.ExpressionNames, Little.U16(data, head + HelloLayout.HelloExpressionsAt)),
                WidthPx = (int)Little.U32(data, camera + HelloLayout.CameraWidthPxAt),
                HeightPx = (int)Little.U32(data, camera + HelloLayout.CameraHeightPxAt),
                CameraK = Doubles(data, camera + HelloLayout.CameraKPxAt, 9),
                CameraPose = Doubles(data, camera + HelloLayout.CameraTWorldCamAt, 16),
                Distortion = Doubles(data, scan.At(HelloLayout.Distortion), scan.Length(HelloLayout.Distortion) / 8),
            };
            if (data[head + HelloLayout.HelloAxesAt] == (byte)Axes.Gltf)
            {
                Mirror(hello.CameraPose);
            }
            hello.BonesMatch = SameNames(hello.BoneNames, Bones.Names);
            return hello;
        }

        private static string Text(byte[] data, MessageScan scan, int section) =>
            Encoding.UTF8.GetString(data, scan.At(section), scan.Length(section));

        private static string[] Names(byte[] data, MessageScan scan, int section, int count)
        {
            string[] names = new string[count];
            int at = scan.At(section);
            for (int i = 0; i < count; i++)
            {
                int size = Little.U16(data, at);
                names[i] = Encoding.UTF8.GetString(data, at + 2, size);
                at += 2 + size;
            }
            return names;
        }

        private static double[] Doubles(byte[] data, int at, int count)
        {
            double[] values = new double[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = Little.F64(data, at + 8 * i);
            }
            return values;
        }

        /// <summary>From glTF's world and camera to Unity's: the world's x and the camera's z change sign.</summary>
        private static void Mirror(double[] pose)
        {
            for (int column = 0; column < 4; column++)
            {
                pose[column] = -pose[column];
            }
            // glTF's camera looks along -Z with x to the right, Unity's along +Z with x to the right
            for (int row = 0; row < 4; row++)
            {
                pose[row * 4 + 2] = -pose[row * 4 + 2];
            }
        }

        private static bool SameNames(string[] a, string[] b)
        {
            if (a.Length != b.Length)
            {
                return false;
            }
            for (int i = 0; i < a.Length; i++)
            {
                if (a[i] != b[i])
                {
                    return false;
                }
            }
            return true;
        }
    }
}
