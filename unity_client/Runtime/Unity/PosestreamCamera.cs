using UnityEngine;

namespace Posestream
{
    /// <summary>
    /// Makes this camera see what the real one sees: its place, direction, field of view and, if wanted, its picture in
    /// the background. The source's transform is the place on the floor under the real camera.
    /// </summary>
    [AddComponentMenu("posestream/Posestream Camera")]
    [DefaultExecutionOrder(-150)]
    [RequireComponent(typeof(Camera))]
    public sealed class PosestreamCamera : MonoBehaviour
    {
        private const float BackgroundShare = 0.95f;

        public PosestreamSource source;

        [Tooltip("Show the camera's picture behind the avatars; needs Picture in the source's settings.")]
        public bool background;

        [Tooltip("Unlit material for the picture; empty: Unlit/Texture.")]
        public Material backgroundMaterial;

        [Tooltip("Keep the picture's proportions with bars at the sides.")]
        public bool letterbox = true;

        private readonly double[] _numbers = new double[16];
        private Camera _camera;
        private HelloMessage _matched;
        private float _near;
        private float _far;
        private Texture2D _texture;
        private Transform _quad;
        private long _pictureNs;

        /// <summary>Number of the frame whose picture is in the background; -1 = none.</summary>
        public long PictureSequence { get; private set; } = -1;

        private void OnEnable()
        {
            _camera = GetComponent<Camera>();
            if (source == null)
            {
                source = GetComponentInParent<PosestreamSource>();
            }
            _matched = null;
        }

        private void OnDisable()
        {
            if (_camera != null)
            {
                _camera.ResetProjectionMatrix();
                _camera.rect = new Rect(0f, 0f, 1f, 1f);
            }
            if (_quad != null)
            {
                _quad.gameObject.SetActive(false);
            }
        }

        private void OnDestroy()
        {
            if (_texture != null)
            {
                Destroy(_texture);
            }
        }

        private void LateUpdate() => Tick();

        /// <summary>Follows the real camera; called by itself while playing.</summary>
        public void Tick()
        {
            if (source == null)
            {
                source = PosestreamSource.Main;
            }
            HelloMessage hello = source == null ? null : source.Hello;
            if (hello == null || hello.WidthPx <= 0 || hello.HeightPx <= 0)
            {
                return;
            }
            if (hello != _matched || _near != _camera.nearClipPlane || _far != _camera.farClipPlane)
            {
                Match(hello);
            }
            if (letterbox)
            {
                Letterbox((float)hello.WidthPx / hello.HeightPx);
            }
            ShowPicture(hello);
        }

        private void Match(HelloMessage hello)
        {
            _matched = hello;
            _near = _camera.nearClipPlane;
            _far = _camera.farClipPlane;
            CameraMatch.Projection(hello.CameraK, hello.WidthPx, hello.HeightPx, _near, _far, _numbers);
            Matrix4x4 projection = new Matrix4x4();
            for (int i = 0; i < 16; i++)
            {
                projection[i / 4, i % 4] = (float)_numbers[i];
            }
            _camera.projectionMatrix = projection;
            Vec3 position;
            Quat rotation;
            CameraMatch.Pose(hello.CameraPose, out position, out rotation);
            Transform stage = source.transform;
            transform.SetPositionAndRotation(stage.TransformPoint(position.ToUnity()), stage.rotation * rotation.ToUnity());
            PlaceBackground(hello);
        }

        private void Letterbox(float aspect)
        {
            float screen = (float)Screen.width / Mathf.Max(Screen.height, 1);
            float width = Mathf.Min(1f, aspect / screen);
            float height = Mathf.Min(1f, screen / aspect);
            Rect rect = new Rect((1f - width) / 2f, (1f - height) / 2f, width, height);
            if (_camera.rect != rect)
            {
                _camera.rect = rect;
            }
        }

        private void ShowPicture(HelloMessage hello)
        {
            StreamClient client = source.Client;
            long at = source.PictureNs;
            if (_quad != null)
            {
                _quad.gameObject.SetActive(background && _pictureNs != 0);
            }
            if (!background || client == null || at == 0 || at == _pictureNs)
            {
                return;
            }
            PictureMessage picture = client.Pictures.Copy(at);
            if (picture == null)
            {
                return;
            }
            if (_texture == null)
            {
                _texture = new Texture2D(2, 2, TextureFormat.RGB24, false);
                MakeQuad();
                PlaceBackground(hello);
            }
            if (_texture.LoadImage(picture.Jpeg))
            {
                _pictureNs = at;
                PictureSequence = picture.Sequence;
            }
        }

        private void MakeQuad()
        {
            GameObject quad = GameObject.CreatePrimitive(PrimitiveType.Quad);
            quad.name = "posestream picture";
            Collider body = quad.GetComponent<Collider>();
            if (body != null)
            {
                Destroy(body);
            }
            _quad = quad.transform;
            _quad.SetParent(transform, false);
            Material material = backgroundMaterial != null ? new Material(backgroundMaterial) : new Material(Shader.Find("Unlit/Texture"));
            material.mainTexture = _texture;
            quad.GetComponent<Renderer>().sharedMaterial = material;
        }

        /// <summary>So far away and so large that it fills the view exactly.</summary>
        private void PlaceBackground(HelloMessage hello)
        {
            if (_quad == null)
            {
                return;
            }
            double[] k = hello.CameraK;
            float distance = _far * BackgroundShare;
            float left = (float)((-0.5 - k[2]) / k[0]);
            float right = (float)((hello.WidthPx - 0.5 - k[2]) / k[0]);
            float top = (float)((k[5] + 0.5) / k[4]);
            float bottom = (float)((k[5] + 0.5 - hello.HeightPx) / k[4]);
            _quad.localPosition = new Vector3((left + right) / 2f, (top + bottom) / 2f, 1f) * distance;
            _quad.localRotation = Quaternion.identity;
            _quad.localScale = new Vector3((right - left) * distance, (top - bottom) * distance, 1f);
        }
    }
}
