using UnityEngine;

namespace Posestream.Samples
{
    /// <summary>
    /// Avatars over the people in the camera's picture: put this on an empty object, drop the scene's camera and Humanoid
    /// prefabs on it. Pictures need the daemon's token, which is found by itself on the daemon's own machine.
    /// </summary>
    public sealed class ArOverlay : MonoBehaviour
    {
        public Camera view;

        public GameObject[] prefabs = new GameObject[0];

        [Tooltip("Only for a daemon on another machine: the content of its file 'token'.")]
        public string token = "";

        private void Start()
        {
            PosestreamSource source = gameObject.AddComponent<PosestreamSource>();
            source.stream.Picture = true;
            source.stream.Token = token;
            source.lockToPicture = true;
            source.Connect();
            PosestreamCamera real = view.gameObject.AddComponent<PosestreamCamera>();
            real.source = source;
            real.background = true;
            PosestreamSpawner spawner = gameObject.AddComponent<PosestreamSpawner>();
            spawner.prefabs = prefabs;
            spawner.Appeared += avatar =>
            {
                avatar.rootMode = RootMode.Metric;
                avatar.matchSize = true;
            };
        }
    }
}
