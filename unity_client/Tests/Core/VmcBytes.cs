using System;
using System.Collections.Generic;
using System.Text;

namespace Posestream.Tests
{
    /// <summary>VMC datagrams written as the OSC 1.0 specification says.</summary>
    public static class VmcBytes
    {
        public static byte[] Message(string address, params object[] arguments)
        {
            List<byte> bytes = new List<byte>();
            StringBuilder tags = new StringBuilder(",");
            List<byte> values = new List<byte>();
            foreach (object argument in arguments)
            {
                if (argument is string text)
                {
                    tags.Append('s');
                    Text(values, text);
                }
                else
                {
                    bool isInt = argument is int;
                    tags.Append(isInt ? 'i' : 'f');
                    byte[] word = isInt ? BitConverter.GetBytes((int)argument) : BitConverter.GetBytes((float)argument);
                    Array.Reverse(word);
                    values.AddRange(word);
                }
            }
            Text(bytes, address);
            Text(bytes, tags.ToString());
            bytes.AddRange(values);
            return bytes.ToArray();
        }

        private static void Text(List<byte> into, string text)
        {
            into.AddRange(Encoding.UTF8.GetBytes(text));
            do
            {
                into.Add(0);
            }
            while (into.Count % 4 != 0);
        }

        public static byte[] Bundle(params byte[][] messages)
        {
            List<byte> bytes = new List<byte>(Encoding.ASCII.GetBytes("#bundle\0"));
            bytes.AddRange(new byte[] { 0, 0, 0, 0, 0, 0, 0, 1 });
            foreach (byte[] message in messages)
            {
                byte[] size = BitConverter.GetBytes(message.Length);
                Array.Reverse(size);
                bytes.AddRange(size);
                bytes.AddRange(message);
            }
            return bytes.ToArray();
        }

        public static byte[] Bone(string name, float angleX) => Message(
            "/VMC/Ext/Bone/Pos", name, 0f, name == "Hips" ? 0.9f : -0.4f, 0f,
            (float)Math.Sin(angleX / 2), 0f, 0f, (float)Math.Cos(angleX / 2));

        /// <summary>A whole frame in one bundle.</summary>
        public static byte[] Frame(float time, bool face)
        {
            List<byte[]> messages = new List<byte[]>
            {
                Message("/VMC/Ext/OK", 1, 3, 0, 1),
                Message("/VMC/Ext/T", time),
                Message("/VMC/Ext/Root/Pos", "root", 0f, 0f, 0f, 0f, 0f, 0f, 1f),
            };
            foreach (string name in Bones.Names)
            {
                messages.Add(Bone(name, 0.1f * time));
            }
            if (face)
            {
                messages.Add(Message("/VMC/Ext/Blend/Val", "Joy", 0.25f));
            }
            messages.Add(Message("/VMC/Ext/Blend/Apply"));
            return Bundle(messages.ToArray());
        }
    }
}
