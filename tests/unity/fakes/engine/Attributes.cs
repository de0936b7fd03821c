using System;

namespace UnityEngine
{
    public class PropertyAttribute : Attribute { }
    public sealed class SerializeField : Attribute { }
    public sealed class TooltipAttribute : PropertyAttribute { public TooltipAttribute(string text) { } }
    public sealed class HeaderAttribute : PropertyAttribute { public HeaderAttribute(string text) { } }
    public sealed class RangeAttribute : PropertyAttribute { public RangeAttribute(float low, float high) { } }
    public sealed class AddComponentMenu : Attribute { public AddComponentMenu(string path) { } }
    public sealed class DefaultExecutionOrder : Attribute { public DefaultExecutionOrder(int order) { } }
    public sealed class DisallowMultipleComponent : Attribute { }
    public sealed class RequireComponent : Attribute { public RequireComponent(Type type) { } }
    public enum RuntimeInitializeLoadType { AfterSceneLoad, BeforeSceneLoad }
    public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute { public RuntimeInitializeOnLoadMethodAttribute(RuntimeInitializeLoadType when) { } }
}
