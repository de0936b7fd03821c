using UnityEngine;

namespace Posestream.Samples
{
    /// <summary>One person moves one avatar: put this on an empty object and drop a Humanoid from the scene on it.</summary>
    public sealed class SingleAvatar : MonoBehaviour
    {
        [Tooltip("A Humanoid in the scene.")]
        public Animator avatar;

        [Tooltip("Without a camera and a daemon.")]
        public bool testWave;

        private void Start()
        {
            PosestreamSource source = gameObject.AddComponent<PosestreamSource>();
            source.input = testWave ? PosestreamSource.Input.TestWave : PosestreamSource.Input.Daemon;
            source.Connect();
            PosestreamAvatar driven = avatar.gameObject.AddComponent<PosestreamAvatar>();
            driven.source = source;
            driven.rootMode = RootMode.InPlace;
            avatar.gameObject.AddComponent<PosestreamFace>();
        }
    }
}
