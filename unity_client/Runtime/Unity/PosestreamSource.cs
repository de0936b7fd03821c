using System;
using System.Collections.Generic;
using UnityEngine;

namespace Posestream
{
    /// <summary>Brings people into the scene: from the daemon, over VMC, from a recording or from a test wave.</summary>
    [AddComponentMenu("posestream/Posestream Source")]
    [DefaultExecutionOrder(-200)]
    [DisallowMultipleComponent]
    public sealed class PosestreamSource : MonoBehaviour
    {
        public enum Input
        {
            Daemon, Vmc, Recording, TestWave,
        }

        private const long PictureHistoryNs = 1000000000;

        [Tooltip("Where people come from.")]
        public Input input = Input.Daemon;

        [Tooltip("The daemon: address, token, what is asked of it.")]
        public StreamSettings stream = new StreamSettings();

        [Tooltip("How frames are held back and joined.")]
        public PlaybackSettings playback = new PlaybackSettings();

        [Tooltip("UDP ports of VMC performers; person 1 is on the first.")]
        public int[] vmcPorts = { 39539 };

        [Tooltip("Accept VMC from other machines too.")]
        public bool vmcFromOtherMachines;

        [Tooltip("A .psrec file.")]
        public string recordingPath = "";

        [Tooltip("Begin the recording again at its end.")]
        public bool loop = true;

        [Tooltip("How many people wave in the test."), Range(1, 8)]
        public int testPeople = 1;

        [Tooltip("Connect as soon as the component is enabled.")]
        public bool connectOnEnable = true;

        [Tooltip("Show the very pose of the background picture instead of moving between frames (for AR).")]
        public bool lockToPicture;

        private readonly PoseFrame _frame = new PoseFrame();
        private readonly FeedFigures _figures = new FeedFigures();
        private IPoseFeed _feed;

        /// <summary>The source that was enabled last: for components that were given none.</summary>
        public static PosestreamSource Main { get; private set; }

        /// <summary>Everybody at this moment; nobody while <see cref="HasFrame"/> is false.</summary>
        public PoseFrame Frame => _frame;

        public bool HasFrame { get; private set; }

        public FeedState State => _feed == null ? FeedState.Stopped : _feed.State;

        /// <summary>A sentence: what is wrong and what to do, or what is going on.</summary>
        public string Status => _feed == null ? "Not connected." : _feed.Status;

        /// <summary>What the daemon said of itself and its camera; null if nothing yet.</summary>
        public HelloMessage Hello => _feed == null ? null : _feed.Hello;

        /// <summary>The connection to the daemon; null for other inputs.</summary>
        public StreamClient Client => _feed as StreamClient;

        /// <summary>Capture time of the picture that belongs to <see cref="Frame"/>; 0 = none.</summary>
        public long PictureNs { get; private set; }

        /// <summary>Something happened at the daemon.</summary>
        public event Action<EventMessage> Happened;

        private void OnEnable()
        {
            Main = this;
            if (connectOnEnable)
            {
                Connect();
            }
        }

        private void OnDisable()
        {
            if (Main == this)
            {
                Main = null;
            }
            Disconnect();
        }

        private void OnApplicationQuit() => Disconnect();

        /// <summary>Starts anew with the present settings.</summary>
        public void Connect()
        {
            Disconnect();
            _feed = Open();
            _feed.Start();
        }

        public void Disconnect()
        {
            if (_feed != null)
            {
                _feed.Dispose();
                _feed = null;
            }
            HasFrame = false;
            _frame.SetCount(0);
            PictureNs = 0;
        }

        /// <summary>Plays from something of your own.</summary>
        public void Use(IPoseFeed feed)
        {
            Disconnect();
            _feed = feed;
            _feed.Start();
        }

        private IPoseFeed Open()
        {
            switch (input)
            {
                case Input.Vmc: return new VmcFeed(vmcPorts, vmcFromOtherMachines, playback);
                case Input.Recording: return new RecordingFeed(recordingPath, loop, playback);
                case Input.TestWave: return new TestWaveFeed(testPeople);
            }
            StreamClient client = new StreamClient(stream, playback);
            client.Buffer.HistoryNs = stream.Picture ? PictureHistoryNs : 0;
            return client;
        }

        private void LateUpdate() => Tick(MonotonicClock.NowNs);

        /// <summary>Takes the people of this moment; called by itself while playing.</summary>
        public void Tick(long nowNs)
        {
            HasFrame = _feed != null && _feed.Sample(nowNs, _frame);
            if (!HasFrame)
            {
                _frame.SetCount(0);
            }
            StreamClient client = Client;
            if (client == null)
            {
                return;
            }
            MatchPicture(client);
            EventMessage message;
            while (client.TryTakeEvent(out message))
            {
                if (Happened != null)
                {
                    Happened(message);
                }
            }
        }

        private void MatchPicture(StreamClient client)
        {
            long at;
            if (!HasFrame || !stream.Picture || !client.Pictures.NewestBefore(client.Buffer.PlayheadNs, out at))
            {
                return;
            }
            if (!lockToPicture || client.Buffer.SampleExactly(at, _frame))
            {
                PictureNs = at;
            }
        }

        /// <summary>How well it comes in; the same object every time.</summary>
        public FeedFigures Measure()
        {
            if (_feed != null)
            {
                _feed.Measure(_figures);
            }
            return _figures;
        }

        /// <summary>Names of a person's expression weights.</summary>
        public IList<string> ExpressionNames(int slot)
        {
            VmcFeed vmc = _feed as VmcFeed;
            if (vmc != null && slot >= 0 && slot < vmcPorts.Length)
            {
                return vmc.Decoder(slot).ExpressionNames;
            }
            return Hello == null ? Bones.Expressions : Hello.ExpressionNames;
        }
    }
}
