namespace UnityEngine
{
    public class GUIContent
    {
        public string text { get; set; }
        public GUIContent(string text, string tooltip = "") { this.text = text; }
    }

    public class GUILayoutOption { }

    public static class GUILayout
    {
        /// <summary>The button that the test presses next.</summary>
        public static string Press;
        public static bool Button(string text, params GUILayoutOption[] options)
        {
            bool pressed = Press == text;
            if (pressed) { Press = null; }
            return pressed;
        }
        public static GUILayoutOption Width(float width) => new GUILayoutOption();
        public static void FlexibleSpace() { }
        public static void Space(float pixels) { }
    }
}
