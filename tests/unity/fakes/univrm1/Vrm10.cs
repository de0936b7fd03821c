// The part of UniVRM's API for VRM 1.0 that the client uses.
using System.Collections.Generic;
using UnityEngine;

namespace UniVRM10
{
    public enum ExpressionPreset
    {
        custom, happy, angry, sad, relaxed, surprised, aa, ih, ou, ee, oh, blink, blinkLeft, blinkRight, lookUp, lookDown, lookLeft,
        lookRight, neutral,
    }

    public readonly struct ExpressionKey
    {
        public readonly ExpressionPreset Preset;
        public readonly string Name;
        private ExpressionKey(ExpressionPreset preset, string name) { Preset = preset; Name = name; }
        public static ExpressionKey CreateFromPreset(ExpressionPreset preset) => new ExpressionKey(preset, preset.ToString());
        public static ExpressionKey CreateCustom(string name) => new ExpressionKey(ExpressionPreset.custom, name);
    }

    public class Vrm10RuntimeExpression
    {
        public readonly Dictionary<string, float> Values = new Dictionary<string, float>();
        public void SetWeight(ExpressionKey key, float value) => Values[key.Name] = value;
    }

    public class Vrm10Runtime
    {
        public Vrm10RuntimeExpression Expression { get; } = new Vrm10RuntimeExpression();
    }

    public class Vrm10Instance : MonoBehaviour
    {
        public Vrm10Runtime Runtime { get; } = new Vrm10Runtime();
    }
}
