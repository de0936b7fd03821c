using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>A real daemon with scripted people. POSESTREAM_PYTHON: the interpreter that has posestream.</summary>
    public sealed class Daemon : IDisposable
    {
        private readonly string _arguments;
        private readonly StringBuilder _output = new StringBuilder();
        private Process _process;
        private bool _expectedAlive;

        public Daemon(int people, int port, string more = "")
            : this("synthetic:people=" + people + ",size=448x252", port, more)
        {
        }

        public Daemon(string source, int port, string more)
        {
            Port = port;
            _arguments = "-m posestream run " + source + " --backend fake --set websocket.port=" + port
                + (more.Contains("vmc.port") ? " " : " --set vmc.port=" + FreePort() + " ") + more;
            Start();
        }

        public int Port { get; private set; }

        public static string Python
        {
            get
            {
                string python = Environment.GetEnvironmentVariable("POSESTREAM_PYTHON");
                if (string.IsNullOrEmpty(python))
                {
                    Assert.Ignore("POSESTREAM_PYTHON does not name the interpreter that has posestream.");
                }
                return python;
            }
        }

        public static int FreePort()
        {
            TcpListener listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            int port = ((IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            return port;
        }

        public void Start()
        {
            _process = Launch(_arguments);
            _expectedAlive = true;
            _process.OutputDataReceived += Keep;
            _process.ErrorDataReceived += Keep;
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        private static Process Launch(string arguments)
        {
            ProcessStartInfo info = new ProcessStartInfo(Python, arguments)
            {
                UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            return Process.Start(info);
        }

        private void Keep(object sender, DataReceivedEventArgs line)
        {
            lock (_output)
            {
                _output.AppendLine(line.Data);
            }
        }

        public string Output
        {
            get
            {
                lock (_output)
                {
                    return _output.ToString();
                }
            }
        }

        public void Signal(string name)
        {
            using (Process kill = Process.Start("kill", "-" + name + " " + _process.Id))
            {
                kill.WaitForExit();
            }
        }

        public void Kill()
        {
            _expectedAlive = false;
            if (!_process.HasExited)
            {
                Signal("KILL");
                _process.WaitForExit(5000);
            }
        }

        public void Dispose() => Kill();

        /// <summary>What a Python program prints.</summary>
        public static string RunPython(string code)
        {
            using (Process process = Launch("-c \"" + code + "\""))
            {
                string output = process.StandardOutput.ReadToEnd();
                string errors = process.StandardError.ReadToEnd();
                process.WaitForExit();
                Assert.AreEqual(0, process.ExitCode, errors);
                return output.Trim();
            }
        }

        /// <summary>Waits until something is so; fails with the daemon's words after 30 s.</summary>
        public void Until(Func<bool> condition, string what) => Until(condition, () => what);

        public void Until(Func<bool> condition, Func<string> what)
        {
            Stopwatch watch = Stopwatch.StartNew();
            while (!condition())
            {
                if (watch.Elapsed.TotalSeconds > 30 || (_expectedAlive && _process.HasExited))
                {
                    Assert.Fail(what() + " did not happen. The daemon said: " + Output);
                }
                Thread.Sleep(8);
            }
        }
    }

    /// <summary>A network between client and daemon that delays what it carries by 0 to so many ms, in order.</summary>
    public sealed class JitterProxy : IDisposable
    {
        private readonly TcpListener _listener = new TcpListener(IPAddress.Loopback, 0);
        private readonly int _to;
        private readonly int _mostMs;
        private readonly Random _random = new Random(17);
        private volatile bool _open = true;

        public JitterProxy(int to, int mostMs)
        {
            _to = to;
            _mostMs = mostMs;
            _listener.Start();
            Begin(Accept);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        private static void Begin(ThreadStart action) => new Thread(action) { IsBackground = true }.Start();

        private void Accept()
        {
            try
            {
                while (_open)
                {
                    Join(_listener.AcceptTcpClient());
                }
            }
            catch (SocketException)
            {
                // closed
            }
        }

        private void Join(TcpClient near)
        {
            try
            {
                TcpClient far = new TcpClient("127.0.0.1", _to) { NoDelay = true };
                near.NoDelay = true;
                Begin(() => Carry(near, far, 0));
                Begin(() => Carry(far, near, _mostMs));
            }
            catch (SocketException)
            {
                near.Close(); // nobody there yet
            }
        }

        private void Carry(TcpClient from, TcpClient to, int mostMs)
        {
            byte[] data = new byte[65536];
            long due = 0;
            System.Collections.Concurrent.BlockingCollection<Tuple<long, byte[]>> queue =
                new System.Collections.Concurrent.BlockingCollection<Tuple<long, byte[]>>();
            Begin(() => Deliver(queue, to));
            try
            {
                int count;
                while (_open && (count = from.GetStream().Read(data, 0, data.Length)) > 0)
                {
                    byte[] copy = new byte[count];
                    Buffer.BlockCopy(data, 0, copy, 0, count);
                    long delay = mostMs == 0 ? 0 : _random.Next(mostMs);
                    due = Math.Max(due, MonotonicClock.NowNs + delay * 1000000);
                    queue.Add(Tuple.Create(due, copy));
                }
            }
            catch (IOException)
            {
                // closed
            }
            catch (InvalidOperationException)
            {
                // closed
            }
            queue.CompleteAdding();
        }

        private static void Deliver(System.Collections.Concurrent.BlockingCollection<Tuple<long, byte[]>> queue, TcpClient to)
        {
            try
            {
                foreach (Tuple<long, byte[]> piece in queue.GetConsumingEnumerable())
                {
                    long wait = (piece.Item1 - MonotonicClock.NowNs) / 1000000;
                    if (wait > 0)
                    {
                        Thread.Sleep((int)wait);
                    }
                    to.GetStream().Write(piece.Item2, 0, piece.Item2.Length);
                }
                to.Close();
            }
            catch (IOException)
            {
                // closed
            }
            catch (InvalidOperationException)
            {
                // closed
            }
        }

        public void Dispose()
        {
            _open = false;
            _listener.Stop();
        }
    }
}
