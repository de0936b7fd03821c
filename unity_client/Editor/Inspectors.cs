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
            Help.Source(avatar.source, avatar);
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

    /// <summary>Says what keeps a spawner from making avatars.</summary>
    [CustomEditor(typeof(PosestreamSpawner))]
    public sealed class PosestreamSpawnerEditor : Editor
    {
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            PosestreamSpawner spawner = (PosestreamSpawner)target;
            int good = 0;
            foreach (GameObject prefab in spawner.prefabs)
            {
                string problem = prefab == null ? "A prefab is missing: an empty place in Prefabs gives no avatar." : Problem(prefab);
                good += problem == null ? 1 : 0;
                if (problem != null)
                {
                    EditorGUILayout.HelpBox((prefab == null ? "" : prefab.name + ": ") + problem, MessageType.Error);
                }
            }
            if (good == 0)
            {
                EditorGUILayout.HelpBox(
                    "Put Humanoid prefabs into Prefabs. No avatar yet? An empty object with Posestream Figure will do.", MessageType.Warning);
            }
            Help.Source(spawner.source, spawner);
        }

        private static string Problem(GameObject prefab) =>
            prefab.GetComponentInChildren<PosestreamFigure>() != null ? null : AvatarCheck.Problem(prefab.GetComponentInChildren<Animator>());
    }

    /// <summary>Says what the picture in the background needs.</summary>
    [CustomEditor(typeof(PosestreamCamera))]
    public sealed class PosestreamCameraEditor : Editor
    {
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            PosestreamCamera camera = (PosestreamCamera)target;
            PosestreamSource source = Help.Source(camera.source, camera);
            if (source == null || !camera.background)
            {
                return;
            }
            if (!source.stream.Picture)
            {
                EditorGUILayout.HelpBox("The background needs Picture in the source's Stream.", MessageType.Warning);
            }
            else if (!source.lockToPicture)
            {
                EditorGUILayout.HelpBox("Lock To Picture in the source shows each pose on its own picture.", MessageType.Info);
            }
        }
    }

    /// <summary>Says what feet need to find the ground.</summary>
    [CustomEditor(typeof(PosestreamFootIk))]
    public sealed class PosestreamFootIkEditor : Editor
    {
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            EditorGUILayout.HelpBox("Feet find what has a Collider on a layer in Ground. Give the avatar's own colliders another layer.", MessageType.Info);
            PosestreamAvatar avatar = ((PosestreamFootIk)target).GetComponent<PosestreamAvatar>();
            if (avatar != null && avatar.rootMode == RootMode.None)
            {
                EditorGUILayout.HelpBox("With Root Mode None the hips do not follow the feet: use In Place.", MessageType.Warning);
            }
        }
    }

    internal static class Help
    {
        /// <summary>The source of a component; says how to get one where there is none.</summary>
        public static PosestreamSource Source(PosestreamSource given, Component of)
        {
            PosestreamSource source = given != null ? given : of.GetComponentInParent<PosestreamSource>();
            if (source == null && PosestreamSource.Main == null)
            {
                EditorGUILayout.HelpBox("There is no source: Window ▸ posestream makes one.", MessageType.Warning);
            }
            return source != null ? source : PosestreamSource.Main;
        }
    }
}
