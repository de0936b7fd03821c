using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>wss://: a daemon behind a TLS server, with certificates as good and as bad as they come.</summary>
    [TestFixture]
    public class SecureTests
    {
        /// <summary>tests/unity/tls_front.py with one of its certificates.</summary>
        private sealed class Front : IDisposable
        {
            private readonly Process _process;

            public Front(string certificate, int toPort)
            {
                string folder = Environment.GetEnvironmentVariable("POSESTREAM_TLS");
                if (string.IsNullOrEmpty(folder))
                {
                    Assert.Ignore("POSESTREAM_TLS does not name the folder that tests/unity/tls_front.py makes.");
                }
                string arguments = folder + "/tls_front.py serve " + folder + " " + certificate + " " + toPort;
                _process = Process.Start(new ProcessStartInfo(Daemon.Python, arguments) { UseShellExecute = false, RedirectStandardOutput = true });
                Port = int.Parse(_process.StandardOutput.ReadLine());
            }

            public int Port { get; private set; }

            public void Signal(string name)
            {
                using (Process kill = Process.Start("kill", "-" + name + " " + _process.Id))
                {
                    kill.WaitForExit();
                }
            }

            public void Dispose()
            {
                if (!_process.HasExited)
                {
                    Signal("KILL");
                    _process.WaitForExit(5000);
                }
            }
        }

        private static StreamClient Client(string host, int port, string token = "")
        {
            StreamSettings settings = new StreamSettings { Address = "wss://" + host + ":" + port, Token = token };
            return new StreamClient(settings, new PlaybackSettings());
        }

        private static bool Sees(StreamClient client, PoseFrame shown, int people)
        {
            client.Sample(MonotonicClock.NowNs, shown);
            return client.State == FeedState.Connected && shown.Count == people;
        }

        /// <summary>By name: mono does not look at the IP addresses that a certificate is made for.</summary>
        [Test]
        public void PeopleArriveOverTls()
        {
            PoseFrame shown = new PoseFrame();
            using (Daemon daemon = new Daemon(4, Daemon.FreePort()))
            using (Front front = new Front("good", daemon.Port))
            using (StreamClient client = Client("localhost", front.Port))
            {
                client.Start();
                daemon.Until(() => Sees(client, shown, 4), () => "4 people (" + client.Status + ")");
                Assert.IsNotNull(client.Hello);
                Thread.Sleep(2000);
                FeedFigures figures = new FeedFigures();
                client.Measure(figures);
                Console.WriteLine("wss://localhost: round trip {0:0.00} ms, {1:0} frames/s", figures.RoundTripMs, figures.FramesPerSecond);
                Assert.AreEqual(0, figures.BadMessages);
                Assert.That(figures.RoundTripMs, Is.InRange(0f, 1000f));
                Assert.Greater(figures.FramesPerSecond, 5f);
                uint id = client.Control("no_such_thing", null);
                ReplyMessage reply = null;
                daemon.Until(() => client.TryTakeReply(out reply) && reply.Id == id, "the reply");
                Assert.IsFalse(reply.Ok);
            }
        }

        [TestCase("stranger")]
        [TestCase("elsewhere")]
        [TestCase("expired")]
        public void ACertificateThatIsNoGoodIsRefused(string certificate)
        {
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (Front front = new Front(certificate, daemon.Port))
            using (StreamClient client = Client("localhost", front.Port))
            {
                client.Start();
                daemon.Until(() => client.State == FeedState.Waiting, () => "a refusal (" + client.Status + ")");
                Thread.Sleep(1500);
                Assert.AreEqual(0, client.Connections);
                Assert.IsNull(client.Hello);
                Console.WriteLine("{0}: {1}", certificate, client.Status);
                Assert.AreEqual(ConnectionProblem.Refused, client.Problem);
                StringAssert.Contains("certificate is not trusted", client.Status);
            }
        }

        [Test]
        public void AWrongTokenIsRefusedOverTlsToo()
        {
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (Front front = new Front("good", daemon.Port))
            using (StreamClient client = Client("localhost", front.Port, "wrong-wrong-wrong-wrong"))
            {
                client.Start();
                daemon.Until(() => client.State == FeedState.Waiting, () => "a refusal (" + client.Status + ")");
                Assert.AreEqual(0, client.Connections);
                Console.WriteLine("wrong token: {0}", client.Status);
                StringAssert.Contains("token", client.Status);
            }
        }

        [Test]
        public void AConnectionThatEndsOrFreezesIsMadeAnew()
        {
            PoseFrame shown = new PoseFrame();
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (Front front = new Front("good", daemon.Port))
            using (StreamClient client = Client("localhost", front.Port))
            {
                client.Start();
                daemon.Until(() => Sees(client, shown, 1), () => "1 person (" + client.Status + ")");
                daemon.Kill();
                daemon.Until(() => client.State == FeedState.Waiting, "noticing");
                daemon.Start();
                daemon.Until(() => client.Connections == 2 && Sees(client, shown, 1), () => "1 person again (" + client.Status + ")");
                front.Signal("STOP");
                daemon.Until(() => client.State != FeedState.Connected, "noticing");
                Assert.AreEqual(ConnectionProblem.Frozen, client.Problem);
                front.Signal("CONT");
                daemon.Until(() => client.Connections >= 3 && Sees(client, shown, 1), () => "1 person once more (" + client.Status + ")");
            }
        }

        [Test]
        public void NobodyThereIsSaid()
        {
            using (StreamClient client = Client("localhost", Daemon.FreePort()))
            {
                client.Start();
                Assert.IsTrue(SpinWait.SpinUntil(() => client.Problem == ConnectionProblem.NobodyThere, 10000), client.Status);
                StringAssert.Contains("No daemon", client.Status);
            }
        }

        [Test]
        public void StoppingTakesLessThanASecond()
        {
            using (Daemon daemon = new Daemon(1, Daemon.FreePort()))
            using (Front front = new Front("good", daemon.Port))
            {
                StreamClient client = Client("localhost", front.Port);
                client.Start();
                daemon.Until(() => client.State == FeedState.Connected, () => "a connection (" + client.Status + ")");
                Stopwatch watch = Stopwatch.StartNew();
                client.Stop();
                Assert.Less(watch.ElapsedMilliseconds, 1000);
                Assert.AreEqual(FeedState.Stopped, client.State);
            }
        }
    }
}
