// The part of Unity's editor API that the client uses; draws nothing.
using System;
using System.Collections.Generic;
using UnityEngine;

namespace UnityEditor
{
    public sealed class CustomEditor : Attribute { public CustomEditor(Type type) { } }
    public sealed class MenuItem : Attribute { public MenuItem(string path) { } }
    public sealed class InitializeOnLoadAttribute : Attribute { }
    public enum MessageType { None, Info, Warning, Error }

    public class Editor
    {
        public UnityEngine.Object target { get; set; }
        public virtual void OnInspectorGUI() { }
        public virtual bool RequiresConstantRepaint() => false;
        public bool DrawDefaultInspector() => false;
    }

    public class EditorWindow : UnityEngine.Object
    {
        public GUIContent titleContent { get; set; }
        public Vector2 minSize { get; set; }
        public static T GetWindow<T>() where T : EditorWindow, new() => new T();
        public void Show() { }
        public void Repaint() { }
    }

    public static class EditorGUILayout
    {
        public static readonly List<string> Shown = new List<string>();
        public static void HelpBox(string text, MessageType type) => Shown.Add(text);
        public static void LabelField(string text) => Shown.Add(text);
        public static void LabelField(string label, string text) => Shown.Add(label + ": " + text);
        public static void Space() { }
        public static string TextField(string label, string text) => text;
        public static int IntField(string label, int value, params GUILayoutOption[] options) => value;
        public static Enum EnumPopup(string label, Enum value) => value;
        public static UnityEngine.Object ObjectField(string label, UnityEngine.Object value, Type type, bool scene) => value;
        public static Vector2 BeginScrollView(Vector2 scroll) => scroll;
        public static void EndScrollView() { }
        public class HorizontalScope : IDisposable { public void Dispose() { } }
    }

    public static class EditorGUI
    {
        public class DisabledScope : IDisposable { public DisabledScope(bool disabled) { } public void Dispose() { } }
    }

    public static class EditorStyles { }

    public static class EditorPrefs
    {
        private static readonly Dictionary<string, string> Values = new Dictionary<string, string>();
        public static string GetString(string key, string fallback) => Values.ContainsKey(key) ? Values[key] : fallback;
        public static void SetString(string key, string value) => Values[key] = value;
    }

    public static class EditorApplication
    {
        public delegate void CallbackFunction();
        public static CallbackFunction update;
        public static event Action quitting { add { } remove { } }
        public static void QueuePlayerLoopUpdate() { }
    }

    public static class AssemblyReloadEvents
    {
        public delegate void AssemblyReloadCallback();
        public static event AssemblyReloadCallback beforeAssemblyReload { add { } remove { } }
    }

    public static class SceneView { public static void RepaintAll() { } }

    public static class Undo { public static void RecordObject(UnityEngine.Object target, string name) { } }

    public static class EditorUtility
    {
        public static string NextPath = "";
        public static void SetDirty(UnityEngine.Object target) { }
        public static string SaveFilePanelInProject(string title, string name, string extension, string message) => NextPath;
        public static string SaveFilePanel(string title, string folder, string name, string extension) => NextPath;
    }

    public static class AssetDatabase
    {
        public static readonly Dictionary<string, UnityEngine.Object> Assets = new Dictionary<string, UnityEngine.Object>();
        public static void CreateAsset(UnityEngine.Object asset, string path) => Assets[path] = asset;
        public static void SaveAssets() { }
    }

    public struct EditorCurveBinding
    {
        public string path, propertyName;
        public static EditorCurveBinding FloatCurve(string path, Type type, string property) => new EditorCurveBinding { path = path, propertyName = property };
    }

    public static class AnimationUtility
    {
        public static void SetEditorCurve(AnimationClip clip, EditorCurveBinding binding, AnimationCurve curve) => clip.Curves[binding.propertyName] = curve;
    }

    public static class Selection
    {
        public static GameObject activeGameObject { get; set; }
    }
}
