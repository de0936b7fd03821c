using System;
using System.Text;
using NUnit.Framework;

namespace Posestream.Tests
{
    [TestFixture]
    public class WebSocketTests
    {
        private static byte[] Frame(int first, byte[] payload)
        {
            int head = payload.Length < 126 ? 2 : payload.Length < 65536 ? 4 : 10;
            byte[] data = new byte[head + payload.Length];
            data[0] = (byte)first;
            data[1] = (byte)(head == 2 ? payload.Length : head == 4 ? 126 : 127);
            for (int i = 0; head > 2 && i < head - 2; i++)
            {
                data[head - 1 - i] = (byte)((long)payload.Length >> (8 * i));
            }
            Buffer.BlockCopy(payload, 0, data, head, payload.Length);
            return data;
        }

        private static byte[] Pattern(int length)
        {
            byte[] data = new byte[length];
            for (int i = 0; i < length; i++)
            {
                data[i] = (byte)(i * 31 + length);
            }
            return data;
        }

        private static byte[] Payload(WebSocketParser parser)
        {
            byte[] copy = new byte[parser.PayloadCount];
            Buffer.BlockCopy(parser.Payload, 0, copy, 0, copy.Length);
            return copy;
        }

        [Test]
        public void MessagesOfEveryLengthInPiecesOfEverySize()
        {
            foreach (int length in new[] { 0, 1, 125, 126, 127, 65535, 65536, 300000 })
            {
                foreach (int step in new[] { 1, 7, 4096, 1 << 20 })
                {
                    if (step == 1 && length > 70000)
                    {
                        continue;
                    }
                    byte[] wanted = Pattern(length);
                    byte[] data = Frame(0x82, wanted);
                    WebSocketParser parser = new WebSocketParser(1 << 20);
                    int at = 0;
                    WebSocketEvent found = WebSocketEvent.NeedMore;
                    for (int end = 0; found == WebSocketEvent.NeedMore;)
                    {
                        end = Math.Min(data.Length, end + step);
                        found = parser.Feed(data, ref at, end);
                    }
                    Assert.AreEqual(WebSocketEvent.Message, found);
                    Assert.AreEqual(data.Length, at);
                    CollectionAssert.AreEqual(wanted, Payload(parser));
                }
            }
        }

        [Test]
        public void PiecesArePutTogetherAroundAPing()
        {
            WebSocketParser parser = new WebSocketParser(1 << 20);
            byte[] data = Join(Frame(0x02, Pattern(10)), Frame(0x89, Pattern(4)), Frame(0x00, Pattern(5)), Frame(0x80, Pattern(3)));
            int at = 0;
            Assert.AreEqual(WebSocketEvent.Ping, parser.Feed(data, ref at, data.Length));
            CollectionAssert.AreEqual(Pattern(4), Payload(parser));
            Assert.AreEqual(WebSocketEvent.Message, parser.Feed(data, ref at, data.Length));
            CollectionAssert.AreEqual(Join(Pattern(10), Pattern(5), Pattern(3)), Payload(parser));
            Assert.AreEqual(WebSocketEvent.NeedMore, parser.Feed(data, ref at, data.Length));
        }

        private static byte[] Join(params byte[][] parts)
        {
            System.Collections.Generic.List<byte> all = new System.Collections.Generic.List<byte>();
            foreach (byte[] part in parts)
            {
                all.AddRange(part);
            }
            return all.ToArray();
        }

        [Test]
        public void WhatRfc6455ForbidsIsRefused()
        {
            byte[] masked = Frame(0x82, Pattern(4));
            masked[1] |= 0x80;
            byte[] negative = { 0x82, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0 };
            foreach (byte[] data in new[]
            {
                masked, negative, Frame(0xC2, Pattern(4)), Frame(0x83, Pattern(4)), Frame(0x80, Pattern(4)), Frame(0x09, Pattern(4)),
                Frame(0x89, Pattern(126)), Frame(0x82, Pattern(5000)), Join(Frame(0x02, Pattern(900)), Frame(0x80, Pattern(200))),
                Join(Frame(0x02, Pattern(9)), Frame(0x82, Pattern(2))),
            })
            {
                WebSocketParser parser = new WebSocketParser(1024);
                int at = 0;
                Assert.AreEqual(WebSocketEvent.Broken, parser.Feed(data, ref at, data.Length));
            }
        }

        [Test]
        public void AFalsePromiseOfLengthTakesNoMemory()
        {
            WebSocketParser parser = new WebSocketParser(Protocol.MaxMessageBytes);
            byte[] data = { 0x82, 127, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 1, 2, 3 };
            int at = 0;
            long before = GC.GetTotalMemory(true);
            Assert.AreEqual(WebSocketEvent.NeedMore, parser.Feed(data, ref at, data.Length));
            Assert.Less(GC.GetTotalMemory(true) - before, 1 << 20);
            GC.KeepAlive(parser);
        }

        [Test]
        public void TheKeyIsAnsweredAsInTheStandard() =>
            Assert.AreEqual("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WebSocketHandshake.Accept("dGhlIHNhbXBsZSBub25jZQ=="));

        [Test]
        public void ARequestCannotBeSplitByAToken()
        {
            string problem;
            StreamAddress address = StreamAddress.Parse("ws://[::1]:9000", out problem);
            string request = Encoding.ASCII.GetString(new WebSocketHandshake().Request(address, "/", "abc\r\nX-Evil: 1"));
            StringAssert.Contains("Host: [::1]:9000\r\n", request);
            StringAssert.Contains("Authorization: Bearer abcX-Evil:1\r\n", request);
        }

        [TestCase("", "127.0.0.1", 8765, false)]
        [TestCase("ws://10.0.0.5", "10.0.0.5", 8765, false)]
        [TestCase("ws://10.0.0.5:80", "10.0.0.5", 80, false)]
        [TestCase("studio:9001", "studio", 9001, false)]
        [TestCase("wss://example.org", "example.org", 443, true)]
        [TestCase("wss://example.org:8765/", "example.org", 8765, true)]
        public void Addresses(string text, string host, int port, bool secure)
        {
            string problem;
            StreamAddress address = StreamAddress.Parse(text, out problem);
            Assert.IsNull(problem);
            Assert.AreEqual(host, address.Host);
            Assert.AreEqual(port, address.Port);
            Assert.AreEqual(secure, address.Secure);
        }

        [TestCase("http://127.0.0.1")]
        [TestCase("ws://")]
        [TestCase("ws://a b")]
        [TestCase("ws://x:99999")]
        public void WhatIsNoAddressIsSaid(string text)
        {
            string problem;
            Assert.IsNull(StreamAddress.Parse(text, out problem));
            StringAssert.Contains("write it like ws://127.0.0.1:8765", problem);
        }

        [Test]
        public void NobodyThereSaysWhatToDo()
        {
            using (SocketTransport transport = new SocketTransport())
            {
                string problem;
                StreamAddress address = StreamAddress.Parse("ws://127.0.0.1:1", out problem);
                StreamException error = Assert.Throws<StreamException>(() => transport.Connect(address, "/", "", 1000));
                Assert.AreEqual(ConnectionProblem.NobodyThere, error.Problem);
                StringAssert.Contains("No daemon at 127.0.0.1:1", error.Message);
                StringAssert.Contains("tools/run.py", error.Message);
            }
        }

        /// <summary>Something that accepts connections and never says a word.</summary>
        [Test]
        public void AServerThatDoesNotAnswerIsLeftAtOnceWhenStopped()
        {
            System.Net.Sockets.TcpListener mute = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
            mute.Start();
            try
            {
                int port = ((System.Net.IPEndPoint)mute.LocalEndpoint).Port;
                StreamSettings settings = new StreamSettings { Address = "127.0.0.1:" + port, ConnectMs = 60000 };
                StreamClient client = new StreamClient(settings, new PlaybackSettings());
                client.Start();
                System.Net.Sockets.TcpClient arrived = mute.AcceptTcpClient();
                client.Stop();
                Assert.AreEqual(FeedState.Stopped, client.State);
                // the other end is closed within the minute that the attempt was given, because the thread has ended
                arrived.ReceiveTimeout = 20000;
                byte[] data = new byte[4096];
                int count;
                do
                {
                    count = arrived.GetStream().Read(data, 0, data.Length);
                }
                while (count > 0);
                Assert.AreEqual(0, count);
                arrived.Close();
            }
            finally
            {
                mute.Stop();
            }
        }

        [Test]
        public void AttemptsGetRarerButNeverStop()
        {
            Backoff backoff = new Backoff(new Random(1));
            Assert.Less(backoff.NextMs(), 320);
            int last = 0;
            for (int i = 0; i < 20; i++)
            {
                last = backoff.NextMs();
                Assert.LessOrEqual(last, 5000);
            }
            Assert.Greater(last, 3000);
            backoff.Reset();
            Assert.Less(backoff.NextMs(), 320);
        }
    }
}
