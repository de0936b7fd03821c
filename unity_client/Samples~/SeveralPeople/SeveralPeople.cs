using UnityEngine;

namespace Posestream.Samples
{
    /// <summary>An avatar for everybody: put this on an empty object and drop Humanoid prefabs on it.</summary>
    public sealed class SeveralPeople : MonoBehaviour
    {
        [Tooltip("Humanoid prefabs, taken in turn.")]
        public GameObject[] prefabs = new GameObject[0];

        private void Start()
        {
            gameObject.AddComponent<PosestreamSource>();
            PosestreamSpawner spawner = gameObject.AddComponent<PosestreamSpawner>();
            spawner.prefabs = prefabs;
            spawner.Appeared += avatar =>
            {
                avatar.rootMode = RootMode.Metric;
                if (avatar.GetComponent<PosestreamFootIk>() == null)
                {
                    avatar.gameObject.AddComponent<PosestreamFootIk>();
                }
            };
        }
    }
}
