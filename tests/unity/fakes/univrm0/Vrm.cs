// The part of UniVRM's API for VRM 0.x that the client uses.
using System.Collections.Generic;
using UnityEngine;

namespace VRM
{
    public enum BlendShapePreset
    {
        Unknown, Neutral, A, I, U, E, O, Blink, Joy, Angry, Sorrow, Fun, LookUp, LookDown, LookLeft, LookRight, Blink_L, Blink_R,
    }

    public struct BlendShapeKey
    {
        public string Name;
        public BlendShapePreset Preset;
        public static BlendShapeKey CreateFromPreset(BlendShapePreset preset) => new BlendShapeKey { Preset = preset, Name = preset.ToString() };
        public static BlendShapeKey CreateUnknown(string name) => new BlendShapeKey { Name = name };
    }

    public class VRMBlendShapeProxy : MonoBehaviour
    {
        public readonly Dictionary<string, float> Values = new Dictionary<string, float>();
        public int Applied;
        public void AccumulateValue(BlendShapeKey key, float value) => Values[key.Name] = value;
        public void Apply() => Applied++;
    }
}
