using System;
using System.ComponentModel;
using System.Diagnostics;
using UnityEditor;

namespace Posestream
{
    /// <summary>Starts the daemon from the editor with a command that the user sets once.</summary>
    public static class DaemonProcess
    {
        public const string DefaultCommand = "posestream run";
        private const string CommandKey = "Posestream.DaemonCommand";
        private const string FolderKey = "Posestream.DaemonFolder";
        private const int MostLines = 12;
        private static readonly object Lock = new object();
        private static readonly System.Collections.Generic.Queue<string> Lines = new System.Collections.Generic.Queue<string>();
        private static Process _process;

        public static string Command
        {
            get { return EditorPrefs.GetString(CommandKey, DefaultCommand); }
            set { EditorPrefs.SetString(CommandKey, value); }
        }

        /// <summary>Where the command runs; empty: the project's folder.</summary>
        public static string Folder
        {
            get { return EditorPrefs.GetString(FolderKey, ""); }
            set { EditorPrefs.SetString(FolderKey, value); }
        }

        public static bool Running => _process != null && !_process.HasExited;

        /// <summary>The last that it printed.</summary>
        public static string Output
        {
            get
            {
                lock (Lock)
                {
                    return string.Join("\n", Lines.ToArray());
                }
            }
        }

        /// <summary>Starts it; the sentence that says why not, or null.</summary>
        public static string Start()
        {
            if (Running)
            {
                return null;
            }
            string file, arguments;
            Split(Command, out file, out arguments);
            ProcessStartInfo info = new ProcessStartInfo(file, arguments)
            {
                UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, CreateNoWindow = true,
                WorkingDirectory = Folder,
            };
            try
            {
                _process = new Process { StartInfo = info };
                _process.OutputDataReceived += Keep;
                _process.ErrorDataReceived += Keep;
                _process.Start();
                _process.BeginOutputReadLine();
                _process.BeginErrorReadLine();
                return null;
            }
            catch (Exception error) when (error is Win32Exception || error is InvalidOperationException)
            {
                _process = null;
                return "'" + file + "' cannot be started (" + error.Message + "): give the full path, for example of "
                    + "posestream's .venv/bin/posestream, followed by run.";
            }
        }

        public static void Stop()
        {
            Process process = _process;
            _process = null;
            try
            {
                if (process != null && !process.HasExited)
                {
                    process.Kill();
                    process.WaitForExit(2000);
                }
            }
            catch (InvalidOperationException)
            {
                // it has ended by itself meanwhile
            }
        }

        /// <summary>The program, which may be in quotation marks, and the rest.</summary>
        public static void Split(string command, out string file, out string arguments)
        {
            string text = (command ?? "").Trim();
            bool quoted = text.StartsWith("\"", StringComparison.Ordinal);
            int end = quoted ? text.IndexOf('"', 1) : text.IndexOf(' ');
            if (end < 0)
            {
                file = text.Trim('"');
                arguments = "";
                return;
            }
            file = quoted ? text.Substring(1, end - 1) : text.Substring(0, end);
            arguments = text.Substring(end + 1).Trim();
        }

        private static void Keep(object sender, DataReceivedEventArgs line)
        {
            if (string.IsNullOrEmpty(line.Data))
            {
                return;
            }
            lock (Lock)
            {
                Lines.Enqueue(line.Data);
                while (Lines.Count > MostLines)
                {
                    Lines.Dequeue();
                }
            }
        }
    }
}
