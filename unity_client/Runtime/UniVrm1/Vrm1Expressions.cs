using System;
using System.Collections.Generic;
using UnityEngine;
using UniVRM10;

namespace Posestream
{
    /// <summary>Expressions of VRM 1.0 avatars through UniVRM.</summary>
    public sealed class Vrm1Expressions : IExpressionSink
    {
        private readonly Vrm10Instance _instance;
        private readonly List<ExpressionKey> _keys = new List<ExpressionKey>();

        private Vrm1Expressions(Vrm10Instance instance)
        {
            _instance = instance;
        }

        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.BeforeSceneLoad)]
        private static void Register()
        {
            PosestreamFace.SinkMakers.Remove(Make);
            PosestreamFace.SinkMakers.Add(Make);
        }

        /// <summary>Null for what is no VRM 1.0 avatar.</summary>
        public static IExpressionSink Make(GameObject avatar)
        {
            Vrm10Instance instance = avatar.GetComponentInChildren<Vrm10Instance>();
            return instance == null ? null : new Vrm1Expressions(instance);
        }

        public int Find(string name)
        {
            ExpressionPreset preset;
            bool known = Enum.TryParse(ExpressionNames.Vrm1(name), true, out preset) && preset != ExpressionPreset.custom;
            _keys.Add(known ? ExpressionKey.CreateFromPreset(preset) : ExpressionKey.CreateCustom(name));
            return _keys.Count - 1;
        }

        public void Set(int index, float weight) => _instance.Runtime.Expression.SetWeight(_keys[index], weight);

        public void Apply()
        {
            // the instance applies all weights by itself, late in the frame
        }
    }
}
