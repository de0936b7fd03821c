using System;
using System.IO;

namespace Posestream
{
    /// <summary>The token of a daemon of the same user on this machine.</summary>
    public static class TokenFile
    {
        /// <summary>The token, or an empty string.</summary>
        public static string Read()
        {
            try
            {
                string path = Path.Combine(Folder(), "token");
                FileInfo file = new FileInfo(path);
                return file.Exists && file.Length <= 1024 ? File.ReadAllText(path).Trim() : "";
            }
            catch (Exception error) when (error is IOException || error is UnauthorizedAccessException || error is ArgumentException)
            {
                return "";
            }
        }

        /// <summary>Where posestream keeps the user's files.</summary>
        public static string Folder()
        {
            string roaming = Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData);
            string home = Environment.GetFolderPath(Environment.SpecialFolder.Personal);
            if (Path.DirectorySeparatorChar == '\\')
            {
                return Path.Combine(roaming, "posestream");
            }
            string mac = Path.Combine(home, "Library", "Application Support");
            if (Directory.Exists(mac))
            {
                return Path.Combine(mac, "posestream");
            }
            string config = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
            return Path.Combine(string.IsNullOrEmpty(config) ? Path.Combine(home, ".config") : config, "posestream");
        }
    }
}
