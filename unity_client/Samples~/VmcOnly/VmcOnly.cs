using UnityEngine;

namespace Posestream.Samples
{
    /// <summary>Any program that sends VMC moves an avatar: put this on an empty object and drop a Humanoid on it.</summary>
    public sealed class VmcOnly : MonoBehaviour
    {
        public Animator avatar;

        public int port = 39539;

        private void Start()
        {
            PosestreamSource source = gameObject.AddComponent<PosestreamSource>();
            source.input = PosestreamSource.Input.Vmc;
            source.vmcPorts = new[] { port };
            source.Connect();
            PosestreamAvatar driven = avatar.gameObject.AddComponent<PosestreamAvatar>();
            driven.source = source;
            avatar.gameObject.AddComponent<PosestreamFace>();
        }
    }
}
