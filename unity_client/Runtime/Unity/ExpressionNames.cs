using System;
using System.Collections.Generic;

namespace Posestream
{
    /// <summary>What tools call the same expression.</summary>
    public static class ExpressionNames
    {
        private static readonly string[][] Same =
        {
            new[] { "aa", "A", "vrc.v_aa", "Fcl_MTH_A", "mouth_a", "viseme_aa", "jawOpen" },
            new[] { "ih", "I", "vrc.v_ih", "Fcl_MTH_I", "mouth_i", "viseme_I" },
            new[] { "ou", "U", "vrc.v_ou", "Fcl_MTH_U", "mouth_u", "viseme_U", "mouthPucker" },
            new[] { "ee", "E", "vrc.v_e", "Fcl_MTH_E", "mouth_e", "viseme_E" },
            new[] { "oh", "O", "vrc.v_oh", "Fcl_MTH_O", "mouth_o", "viseme_O", "mouthFunnel" },
            new[] { "blink", "Fcl_EYE_Close", "vrc.blink", "eyesClosed" },
            new[] { "blinkLeft", "Blink_L", "Fcl_EYE_Close_L", "eyeBlinkLeft", "vrc.blink_left" },
            new[] { "blinkRight", "Blink_R", "Fcl_EYE_Close_R", "eyeBlinkRight", "vrc.blink_right" },
            new[] { "happy", "Joy", "Fcl_ALL_Joy", "mouthSmile" },
            new[] { "angry", "Fcl_ALL_Angry" },
            new[] { "sad", "Sorrow", "Fcl_ALL_Sorrow" },
            new[] { "relaxed", "Fun", "Fcl_ALL_Fun" },
            new[] { "surprised", "Fcl_ALL_Surprised" },
            new[] { "lookUp" }, new[] { "lookDown" }, new[] { "lookLeft" }, new[] { "lookRight" },
        };

        /// <summary>
        /// Names under which an avatar may have an expression, the given one first; none for which the stream
        /// has values of its own.
        /// </summary>
        public static IEnumerable<string> Of(string name, IList<string> streamed)
        {
            yield return name;
            if (IsDetail(name, streamed))
            {
                yield break;
            }
            foreach (string[] group in Same)
            {
                if (!Contains(group, name))
                {
                    continue;
                }
                foreach (string other in group)
                {
                    if (!Equal(other, name) && !Contains(streamed, other))
                    {
                        yield return other;
                    }
                }
            }
        }

        /// <summary>Whether the stream has the expression by its VRM 1.0 name as well, such as aa besides jawOpen.</summary>
        public static bool IsDetail(string name, IList<string> streamed)
        {
            string vrm = Vrm1(name);
            return !Equal(vrm, name) && Contains(streamed, vrm);
        }

        /// <summary>The VRM 1.0 name, or the name itself where there is none.</summary>
        public static string Vrm1(string name)
        {
            foreach (string[] group in Same)
            {
                if (Contains(group, name))
                {
                    return group[0];
                }
            }
            return name;
        }

        private static bool Contains(IList<string> names, string name)
        {
            foreach (string other in names)
            {
                if (Equal(other, name))
                {
                    return true;
                }
            }
            return false;
        }

        /// <summary>Whether two names mean the same; tools differ in case.</summary>
        public static bool Equal(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
    }
}
