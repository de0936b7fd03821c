// Small working stand-ins for Unity's objects: a scene graph that can be walked, without rendering.
using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public class Object
    {
        public virtual string name { get; set; } = "";
        internal bool Destroyed;
        public static bool operator ==(Object a, Object b) => Alive(a) ? ReferenceEquals(a, b) : !Alive(b);
        public static bool operator !=(Object a, Object b) => !(a == b);
        private static bool Alive(Object o) => !ReferenceEquals(o, null) && !o.Destroyed;
        public static implicit operator bool(Object o) => Alive(o);
        public override bool Equals(object o) => ReferenceEquals(this, o);
        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
        public static void Destroy(Object o) { if (o != null) { o.Destroyed = true; } }
        public static void DestroyImmediate(Object o) => Destroy(o);

        public static GameObject Instantiate(GameObject original, Transform parent)
        {
            GameObject copy = original.Copier == null ? new GameObject(original.name + "(Clone)") : original.Copier();
            copy.transform.SetParent(parent, false);
            return copy;
        }
    }

    public class Component : Object
    {
        public GameObject gameObject { get; internal set; }
        public Transform transform => gameObject.transform;
        public override string name { get { return gameObject.name; } set { gameObject.name = value; } }
        public T GetComponent<T>() where T : class => gameObject.GetComponent<T>();
        public T GetComponentInChildren<T>() where T : class => gameObject.GetComponentInChildren<T>();
        public T[] GetComponentsInChildren<T>() where T : class => gameObject.GetComponentsInChildren<T>();
        public T GetComponentInParent<T>() where T : class
        {
            for (Transform t = transform; t != null; t = t.parent)
            {
                T found = t.GetComponent<T>();
                if (found != null) { return found; }
            }
            return null;
        }
    }

    public class Behaviour : Component
    {
        public bool enabled { get; set; } = true;
        public bool isActiveAndEnabled => enabled && gameObject.activeSelf;
    }

    public class MonoBehaviour : Behaviour { }

    public sealed class GameObject : Object
    {
        private readonly List<Component> _components = new List<Component>();

        /// <summary>How a test's prefab is copied.</summary>
        public Func<GameObject> Copier;

        public GameObject(string name = "")
        {
            this.name = name;
            transform = new Transform { gameObject = this };
            _components.Add(transform);
        }

        public Transform transform { get; private set; }
        public bool activeSelf { get; private set; } = true;
        public bool activeInHierarchy => activeSelf;

        public void SetActive(bool active)
        {
            bool was = activeSelf;
            activeSelf = active;
            if (was != active)
            {
                foreach (Component c in GetComponentsInChildren<Component>()) { Send(c, active ? "OnEnable" : "OnDisable"); }
            }
        }

        public T AddComponent<T>() where T : Component, new()
        {
            T component = new T { gameObject = this };
            _components.Add(component);
            Send(component, "OnEnable");
            return component;
        }

        /// <summary>Adds a component and calls OnEnable later, as when a scene is loaded.</summary>
        public T AddSilently<T>() where T : Component, new()
        {
            T component = new T { gameObject = this };
            _components.Add(component);
            return component;
        }

        public static void Send(Component component, string message)
        {
            var method = component.GetType().GetMethod(message, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public, null, Type.EmptyTypes, null);
            if (method != null) { method.Invoke(component, null); }
        }

        public T GetComponent<T>() where T : class
        {
            foreach (Component c in _components) { T t = c as T; if (t != null) { return t; } }
            return null;
        }

        public T GetComponentInChildren<T>() where T : class
        {
            T[] all = GetComponentsInChildren<T>();
            return all.Length > 0 ? all[0] : null;
        }

        public T[] GetComponentsInChildren<T>() where T : class
        {
            List<T> found = new List<T>();
            Collect(transform, found);
            return found.ToArray();
        }

        private static void Collect<T>(Transform at, List<T> into) where T : class
        {
            foreach (Component c in at.gameObject._components) { T t = c as T; if (t != null) { into.Add(t); } }
            for (int i = 0; i < at.childCount; i++) { Collect(at.GetChild(i), into); }
        }

        public static GameObject CreatePrimitive(PrimitiveType type)
        {
            GameObject made = new GameObject(type.ToString());
            made.AddComponent<MeshRenderer>();
            made.AddComponent<MeshCollider>();
            return made;
        }
    }

    public enum PrimitiveType { Sphere, Capsule, Cylinder, Cube, Plane, Quad }

    public sealed class Transform : Component
    {
        private readonly List<Transform> _children = new List<Transform>();
        private Quaternion _rotation = Quaternion.identity;
        public Transform parent { get; private set; }
        public int childCount => _children.Count;
        public Transform GetChild(int index) => _children[index];
        public Vector3 localPosition { get; set; }
        public Vector3 localScale { get; set; } = Vector3.one;
        public Quaternion localRotation { get { return _rotation; } set { _rotation = Quaternion.Normalize(value); } }
        public Vector3 forward => rotation * Vector3.forward;
        public Vector3 lossyScale => parent == null ? localScale : Vector3.Scale(parent.lossyScale, localScale);

        public Quaternion rotation
        {
            get { return parent == null ? _rotation : parent.rotation * _rotation; }
            set { localRotation = parent == null ? value : Quaternion.Inverse(parent.rotation) * value; }
        }

        public Vector3 position
        {
            get { return parent == null ? localPosition : parent.TransformPoint(localPosition); }
            set { localPosition = parent == null ? value : parent.InverseTransformPoint(value); }
        }

        public Vector3 TransformPoint(Vector3 p) => position + rotation * Vector3.Scale(lossyScale, p);

        public Vector3 InverseTransformPoint(Vector3 p)
        {
            Vector3 q = Quaternion.Inverse(rotation) * (p - position);
            Vector3 s = lossyScale;
            return new Vector3(q.x / s.x, q.y / s.y, q.z / s.z);
        }

        public void SetParent(Transform to, bool worldPositionStays)
        {
            Vector3 p = position;
            Quaternion r = rotation;
            if (parent != null) { parent._children.Remove(this); }
            parent = to;
            if (to != null) { to._children.Add(this); }
            if (worldPositionStays) { position = p; rotation = r; }
        }

        public void SetParent(Transform to) => SetParent(to, true);
        public void SetPositionAndRotation(Vector3 p, Quaternion r) { position = p; rotation = r; }
    }

    public class Renderer : Component
    {
        public Material sharedMaterial { get; set; }
        public bool enabled { get; set; } = true;
    }

    public class MeshRenderer : Renderer { }

    public class Collider : Component { }

    public class MeshCollider : Collider { }

    public class SkinnedMeshRenderer : Renderer
    {
        public readonly Dictionary<int, float> Weights = new Dictionary<int, float>();
        public Mesh sharedMesh { get; set; }
        public void SetBlendShapeWeight(int index, float value) => Weights[index] = value;
        public float GetBlendShapeWeight(int index) => Weights.ContainsKey(index) ? Weights[index] : 0;
    }

    public class Mesh : Object
    {
        public string[] Shapes = new string[0];
        public int blendShapeCount => Shapes.Length;
        public string GetBlendShapeName(int index) => Shapes[index];
    }

    public class Shader : Object
    {
        public static Shader Find(string name) => new Shader { name = name };
    }

    public class Texture : Object { }

    public enum TextureFormat { RGB24 = 3, RGBA32 = 4 }

    public class Texture2D : Texture
    {
        public byte[] Loaded;
        public Texture2D(int width, int height, TextureFormat format, bool mipChain) { }
    }

    public static class ImageConversion
    {
        public static bool LoadImage(this Texture2D texture, byte[] data) { texture.Loaded = data; return data.Length > 3 && data[0] == 0xFF && data[1] == 0xD8; }
    }

    public class Material : Object
    {
        public Material(Shader shader) { }
        public Material(Material source) { }
        public Texture mainTexture { get; set; }
    }

    public class Camera : Behaviour
    {
        public Matrix4x4 projectionMatrix { get; set; }
        public Rect rect { get; set; } = new Rect(0, 0, 1, 1);
        public float nearClipPlane { get; set; } = 0.3f;
        public float farClipPlane { get; set; } = 1000f;
        public void ResetProjectionMatrix() { projectionMatrix = new Matrix4x4(); }
    }

    public static class Screen
    {
        public static int width { get; set; } = 1920;
        public static int height { get; set; } = 1080;
    }

    public enum QueryTriggerInteraction { UseGlobal, Ignore, Collide }

    public struct RaycastHit
    {
        public Vector3 point { get; set; }
        public Vector3 normal { get; set; }
    }

    public static class Physics
    {
        /// <summary>The ground's height at x, z; NaN = none.</summary>
        public static Func<float, float, float> Ground = (x, z) => float.NaN;

        public static bool Raycast(Vector3 origin, Vector3 direction, out RaycastHit hit, float maxDistance, int layerMask, QueryTriggerInteraction triggers)
        {
            float y = Ground(origin.x, origin.z);
            hit = new RaycastHit { point = new Vector3(origin.x, y, origin.z), normal = Vector3.up };
            return y <= origin.y && y >= origin.y - maxDistance;
        }
    }

    public static class Time
    {
        public static float deltaTime { get; set; } = 1f / 60f;
        public static float time { get; set; }
    }

    public static class Application
    {
        public static bool isPlaying { get; set; } = true;
        public static string dataPath => ".";
    }

    public static class Debug
    {
        public static readonly List<string> Messages = new List<string>();
        public static void Log(object message) => Messages.Add(message.ToString());
        public static void LogWarning(object message, Object context) => Messages.Add(message.ToString());
        public static void LogWarning(object message) => Messages.Add(message.ToString());
        public static void LogError(object message) => Messages.Add(message.ToString());
    }
}
