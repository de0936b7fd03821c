using System.Collections.Generic;
using System.Globalization;
using UnityEditor;
using UnityEngine;

namespace Posestream
{
    /// <summary>Window ▸ posestream: connect, see who is there, put avatars on people, record.</summary>
    public sealed class PosestreamWindow : EditorWindow
    {
        [SerializeField]
        private List<PosestreamAvatar> _avatars = new List<PosestreamAvatar>();

        [SerializeField]
        private PosestreamSource _source;

        private ClipRecorder _recorder;
        private PosestreamAvatar _recorded;
        private long _lastNs;
        private string _problem;
        private Vector2 _scroll;

        [MenuItem("Window/posestream")]
        public static void Open()
        {
            PosestreamWindow window = GetWindow<PosestreamWindow>();
            window.titleContent = new GUIContent("posestream");
            window.minSize = new Vector2(320f, 240f);
            window.Show();
        }

        /// <summary>The source whose people are shown.</summary>
        public PosestreamSource Source
        {
            get { return _source; }
            set { _source = value; }
        }

        private void OnEnable()
        {
            _lastNs = MonotonicClock.NowNs;
            EditorApplication.update += Step;
        }

        private void OnDisable()
        {
            EditorApplication.update -= Step;
            EndRecording(false);
        }

        private void Step()
        {
            long nowNs = MonotonicClock.NowNs;
            float seconds = (nowNs - _lastNs) * 1e-9f;
            _lastNs = nowNs;
            if (_recorder != null && _recorded != null && _recorded.Presence > 0f)
            {
                _recorder.Take(seconds);
            }
            Repaint();
        }

        private void OnGUI() => Draw();

        /// <summary>Draws the window.</summary>
        public void Draw()
        {
            _scroll = EditorGUILayout.BeginScrollView(_scroll);
            _source = (PosestreamSource)EditorGUILayout.ObjectField("Source", _source, typeof(PosestreamSource), true);
            if (_source == null)
            {
                DrawSetUp();
            }
            else
            {
                DrawConnection();
                DrawPeople();
                DrawRecording();
            }
            DrawDaemon();
            if (_problem != null)
            {
                EditorGUILayout.HelpBox(_problem, MessageType.Error);
            }
            EditorGUILayout.EndScrollView();
        }

        private void DrawSetUp()
        {
            EditorGUILayout.HelpBox("Make a source, then drop avatars on people.", MessageType.Info);
            if (GUILayout.Button("Make a source"))
            {
                GameObject made = new GameObject("posestream");
                _source = made.AddComponent<PosestreamSource>();
            }
        }

        private void DrawConnection()
        {
            bool connected = _source.State != FeedState.Stopped;
            EditorGUILayout.HelpBox(_source.Status, _source.State == FeedState.Waiting ? MessageType.Warning : MessageType.Info);
            if (connected)
            {
                DrawFigures(_source.Measure());
            }
            using (new EditorGUILayout.HorizontalScope())
            {
                if (GUILayout.Button(connected ? "Disconnect" : "Connect"))
                {
                    Toggle(connected, PosestreamSource.Input.Daemon, false);
                }
                if (!connected && GUILayout.Button("Test wave"))
                {
                    Toggle(false, PosestreamSource.Input.TestWave, true);
                }
            }
        }

        private void Toggle(bool connected, PosestreamSource.Input input, bool change)
        {
            if (connected)
            {
                EditModePreview.Stop();
                _source.Disconnect();
                return;
            }
            _source.input = change ? input : _source.input == PosestreamSource.Input.TestWave ? PosestreamSource.Input.Daemon : _source.input;
            if (Application.isPlaying)
            {
                _source.Connect();
            }
            else
            {
                EditModePreview.Start(_source, _avatars);
            }
        }

        private static void DrawFigures(FeedFigures f)
        {
            EditorGUILayout.LabelField("Camera to avatar", Ms(f.LatencyMs) + " (p95 " + Ms(f.LatencyP95Ms) + ")");
            EditorGUILayout.LabelField("Jitter", Ms(f.JitterP50Ms) + " (p95 " + Ms(f.JitterP95Ms) + "), held back " + Ms(f.BufferMs));
            EditorGUILayout.LabelField(
                "Frames", Number(f.FramesPerSecond) + " per second, " + Number(f.LossPercent) + " % left out or lost");
        }

        private static string Ms(float value) => float.IsNaN(value) ? "not known" : Number(value) + " ms";

        private static string Number(float value) => value.ToString("0.0", CultureInfo.InvariantCulture);

        private void DrawPeople()
        {
            PoseFrame frame = _source.Frame;
            EditorGUILayout.LabelField(frame.Count == 0 ? "Nobody is seen." : frame.Count + (frame.Count == 1 ? " person:" : " people:"));
            for (int i = 0; i < frame.Count; i++)
            {
                PersonPose person = frame[i];
                Vec3 at = person.RootPosition;
                EditorGUILayout.LabelField(
                    "Person " + person.Slot,
                    person.State.ToString().ToLowerInvariant() + ", sure " + Number(person.Confidence * 100f) + " %, at "
                        + Number(at.X) + " " + Number(at.Y) + " " + Number(at.Z) + " m");
            }
            DrawSlots();
        }

        private void DrawSlots()
        {
            for (int slot = 0; slot <= _avatars.Count && slot < 8; slot++)
            {
                Animator now = slot < _avatars.Count && _avatars[slot] != null ? _avatars[slot].animator : null;
                Object dropped = EditorGUILayout.ObjectField("Avatar of person " + slot, now, typeof(Animator), true);
                if (dropped != null && dropped != now)
                {
                    Assign(slot, dropped);
                }
            }
        }

        /// <summary>Puts an avatar on a person. Takes an Animator or a PosestreamAvatar; says what is wrong with it.</summary>
        public void Assign(int slot, Object dropped)
        {
            Component part = dropped as Component;
            Animator animator = part == null ? null : part.GetComponentInChildren<Animator>();
            _problem = AvatarCheck.Problem(animator);
            if (_problem != null)
            {
                return;
            }
            PosestreamAvatar avatar = animator.GetComponentInParent<PosestreamAvatar>();
            if (avatar == null)
            {
                avatar = animator.gameObject.AddComponent<PosestreamAvatar>();
            }
            Undo.RecordObject(avatar, "Assign avatar");
            avatar.source = _source;
            avatar.slot = slot;
            avatar.binding = PosestreamAvatar.Binding.Slot;
            avatar.Bind();
            EditorUtility.SetDirty(avatar);
            if (slot < _avatars.Count)
            {
                _avatars[slot] = avatar;
            }
            else
            {
                _avatars.Add(avatar);
            }
        }

        private void DrawRecording()
        {
            if (_recorder == null && _avatars.Count > 0 && GUILayout.Button("Record a clip"))
            {
                _recorded = _avatars[0];
                _recorder = new ClipRecorder(_recorded);
            }
            if (_recorder != null && GUILayout.Button("Stop and save (" + _recorder.Frames + " frames)"))
            {
                EndRecording(true);
            }
            StreamClient client = _source.Client;
            if (client == null)
            {
                return;
            }
            if (!client.Recording && GUILayout.Button("Record the stream (.psrec)"))
            {
                string path = EditorUtility.SaveFilePanel("Record the stream", "", "take", "psrec");
                StartStream(client, path);
            }
            if (client.Recording && GUILayout.Button("Stop recording the stream"))
            {
                client.StopRecording();
            }
        }

        private void StartStream(StreamClient client, string path)
        {
            if (string.IsNullOrEmpty(path))
            {
                return;
            }
            try
            {
                client.StartRecording(path);
                _problem = null;
            }
            catch (System.IO.IOException error)
            {
                _problem = "The recording cannot be written: " + error.Message;
            }
        }

        private void EndRecording(bool save)
        {
            if (_recorder == null)
            {
                return;
            }
            string path = save ? EditorUtility.SaveFilePanelInProject("Save the clip", "take", "anim", "Where to?") : "";
            if (!string.IsNullOrEmpty(path))
            {
                AssetDatabase.CreateAsset(_recorder.Clip(60f), path);
                AssetDatabase.SaveAssets();
            }
            _recorder.Dispose();
            _recorder = null;
        }

        private void DrawDaemon()
        {
            EditorGUILayout.Space();
            DaemonProcess.Command = EditorGUILayout.TextField("Daemon command", DaemonProcess.Command);
            DaemonProcess.Folder = EditorGUILayout.TextField("in the folder", DaemonProcess.Folder);
            if (!DaemonProcess.Running && GUILayout.Button("Start the daemon"))
            {
                _problem = DaemonProcess.Start();
            }
            if (DaemonProcess.Running && GUILayout.Button("Stop the daemon"))
            {
                DaemonProcess.Stop();
            }
            if (DaemonProcess.Output.Length > 0)
            {
                EditorGUILayout.HelpBox(DaemonProcess.Output, MessageType.None);
            }
        }
    }
}
