using System.Collections.Generic;
using UnityEngine;
using VRM;

namespace Posestream
{
    /// <summary>Expressions of VRM 0.x avatars through UniVRM.</summary>
    public sealed class Vrm0Expressions : IExpressionSink
    {
        private static readonly Dictionary<string, BlendShapePreset> Presets = new Dictionary<string, BlendShapePreset>
        {
            { "aa", BlendShapePreset.A }, { "ih", BlendShapePreset.I }, { "ou", BlendShapePreset.U }, { "ee", BlendShapePreset.E },
            { "oh", BlendShapePreset.O }, { "blink", BlendShapePreset.Blink }, { "blinkLeft", BlendShapePreset.Blink_L },
            { "blinkRight", BlendShapePreset.Blink_R }, { "happy", BlendShapePreset.Joy }, { "angry", BlendShapePreset.Angry },
            { "sad", BlendShapePreset.Sorrow }, { "relaxed", BlendShapePreset.Fun }, { "lookUp", BlendShapePreset.LookUp },
            { "lookDown", BlendShapePreset.LookDown }, { "lookLeft", BlendShapePreset.LookLeft }, { "lookRight", BlendShapePreset.LookRight },
        };

        private readonly VRMBlendShapeProxy _proxy;
        private readonly List<BlendShapeKey> _keys = new List<BlendShapeKey>();

        private Vrm0Expressions(VRMBlendShapeProxy proxy)
        {
            _proxy = proxy;
        }

        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.BeforeSceneLoad)]
        private static void Register()
        {
            PosestreamFace.SinkMakers.Remove(Make);
            PosestreamFace.SinkMakers.Add(Make);
        }

        /// <summary>Null for what is no VRM 0.x avatar.</summary>
        public static IExpressionSink Make(GameObject avatar)
        {
            VRMBlendShapeProxy proxy = avatar.GetComponentInChildren<VRMBlendShapeProxy>();
            return proxy == null ? null : new Vrm0Expressions(proxy);
        }

        public int Find(string name)
        {
            BlendShapePreset preset;
            bool known = Presets.TryGetValue(ExpressionNames.Vrm1(name), out preset);
            _keys.Add(known ? BlendShapeKey.CreateFromPreset(preset) : BlendShapeKey.CreateUnknown(name));
            return _keys.Count - 1;
        }

        public void Set(int index, float weight) => _proxy.AccumulateValue(_keys[index], weight);

        public void Apply() => _proxy.Apply();
    }
}
