using UnityEditor;
using UnityEngine;

namespace Posestream
{
    /// <summary>Shows how the connection is doing below a source's settings.</summary>
    [CustomEditor(typeof(PosestreamSource))]
    public sealed class PosestreamSourceEditor : Editor
    {
        public override bool RequiresConstantRepaint() => Application.isPlaying;

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            PosestreamSource source = (PosestreamSource)target;
            EditorGUILayout.HelpBox(source.Status, source.State == FeedState.Waiting ? MessageType.Warning : MessageType.Info);
            if (source.lockToPicture && !source.stream.Picture)
            {
                EditorGUILayout.HelpBox("Lock To Picture needs Picture in Stream.", MessageType.Warning);
            }
            if (GUILayout.Button("Open the posestream window"))
            {
                PosestreamWindow.Open();
            }
        }
    }

    /// <summary>Says what is wrong with an avatar, and what to do.</summary>
    [CustomEditor(typeof(PosestreamAvatar))]
    public sealed class PosestreamAvatarEditor : Editor
    {
        public override bool RequiresConstantRepaint() => Application.isPlaying;

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            PosestreamAvatar avatar = (PosestreamAvatar)target;
            Animator animator = avatar.animator != null ? avatar.animator : avatar.GetComponentInChildren<Animator>();
            string problem = AvatarCheck.Problem(animator);
            if (problem != null)
            {
                EditorGUILayout.HelpBox(problem, MessageType.Error);
                return;
            }
            foreach (string warning in AvatarCheck.Warnings(animator))
            {
                EditorGUILayout.HelpBox(warning, MessageType.Warning);
            }
            if (avatar.source == null && avatar.GetComponentInParent<PosestreamSource>() == null)
            {
                EditorGUILayout.HelpBox("There is no source: Window ▸ posestream makes one.", MessageType.Warning);
            }
        }
    }

    /// <summary>Says what the face lacks.</summary>
    [CustomEditor(typeof(PosestreamFace))]
    public sealed class PosestreamFaceEditor : Editor
    {
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            PosestreamFace face = (PosestreamFace)target;
            if (Application.isPlaying && face.Found == 0)
            {
                EditorGUILayout.HelpBox(
                    "No expression is found: the meshes have no blend shapes of known names (VRM, ARKit, VRoid, visemes).", MessageType.Warning);
            }
        }
    }
}
