using System;
using System.Globalization;
using System.IO;
using System.Text;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>VMC datagrams that other projects have written.</summary>
    [TestFixture]
    public class PacketTests
    {
        private static byte[] Bytes(string hex)
        {
            byte[] data = new byte[hex.Length / 2];
            for (int i = 0; i < data.Length; i++)
            {
                data[i] = byte.Parse(hex.Substring(2 * i, 2), NumberStyles.HexNumber);
            }
            return data;
        }

        [Test]
        public void AreReadAsTheirAuthorsMeant()
        {
            string path = Environment.GetEnvironmentVariable("POSESTREAM_PACKETS");
            if (string.IsNullOrEmpty(path) || !File.Exists(path))
            {
                Assert.Ignore("POSESTREAM_PACKETS does not name the file that tests/unity/packets.py writes.");
            }
            int datagrams = 0;
            OscReader reader = new OscReader();
            VmcDecoder decoder = new VmcDecoder();
            PersonPose person = new PersonPose();
            foreach (string line in File.ReadAllLines(path))
            {
                string[] parts = line.Split('\t');
                byte[] data = Bytes(parts[1]);
                reader.Begin(data, data.Length);
                int at = 2;
                while (reader.Next())
                {
                    at = Compare(parts[0], reader, parts, at);
                }
                Assert.AreEqual(parts.Length, at, parts[0] + ": as many messages");
                Assert.AreEqual(0, reader.Malformed, parts[0]);
                decoder.Begin(data, data.Length);
                while (decoder.Next())
                {
                    decoder.Take(person);
                }
                datagrams++;
            }
            Assert.GreaterOrEqual(datagrams, 30);
        }

        private static string Text(OscReader reader, ByteSpan span) => Encoding.UTF8.GetString(reader.Data, span.At, span.Count);

        private static int Compare(string name, OscReader reader, string[] parts, int at)
        {
            Assert.AreEqual(parts[at++], Text(reader, reader.Address), name);
            string tags = parts[at++];
            Assert.AreEqual(tags, Text(reader, reader.Tags), name);
            foreach (char tag in tags)
            {
                string wanted = parts[at++];
                if (tag == 's')
                {
                    ByteSpan text;
                    Assert.IsTrue(reader.TakeString(out text), name);
                    Assert.AreEqual(wanted, Text(reader, text), name);
                }
                else if (tag == 'i')
                {
                    int number;
                    Assert.IsTrue(reader.TakeInt(out number), name);
                    Assert.AreEqual(wanted, number.ToString(CultureInfo.InvariantCulture), name);
                }
                else
                {
                    float value;
                    Assert.AreEqual('f', tag, name);
                    Assert.IsTrue(reader.TakeFloat(out value), name);
                    Assert.AreEqual(wanted, Little.Bits(value).ToString("x8"), name);
                }
            }
            return at;
        }
    }
}
