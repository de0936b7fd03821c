using System;

namespace Posestream
{
    /// <summary>Everybody at one instant. Grows with the number of people and is then reused.</summary>
    public sealed class PoseFrame
    {
        private PersonPose[] _people = new PersonPose[0];

        /// <summary>Number of the frame in its source.</summary>
        public long Sequence;

        /// <summary>When the light fell in, sender's clock, ns.</summary>
        public long CaptureNs;

        /// <summary>When the frame was encoded, sender's clock, ns.</summary>
        public long PublishNs;

        /// <summary>When it arrived here, <see cref="MonotonicClock"/>, ns.</summary>
        public long ReceivedNs;

        /// <summary>Add to times of the sender's clock to get UTC since 1970, ns.</summary>
        public long UtcOffsetNs;

        public int Count { get; private set; }

        public PersonPose this[int index]
        {
            get
            {
                if (index < 0 || index >= Count)
                {
                    throw new ArgumentOutOfRangeException(nameof(index));
                }
                return _people[index];
            }
        }

        /// <summary>Makes room; allocates only if there were never as many people.</summary>
        public void SetCount(int count)
        {
            if (count < 0 || count > Protocol.MaxPeople)
            {
                throw new ArgumentOutOfRangeException(nameof(count));
            }
            if (count > _people.Length)
            {
                int have = _people.Length;
                Array.Resize(ref _people, count);
                for (int i = have; i < count; i++)
                {
                    _people[i] = new PersonPose();
                }
            }
            Count = count;
        }

        public void CopyFrom(PoseFrame other)
        {
            CopyTimesFrom(other);
            SetCount(other.Count);
            for (int i = 0; i < Count; i++)
            {
                _people[i].CopyFrom(other._people[i]);
            }
        }

        public void CopyTimesFrom(PoseFrame other)
        {
            Sequence = other.Sequence;
            CaptureNs = other.CaptureNs;
            PublishNs = other.PublishNs;
            ReceivedNs = other.ReceivedNs;
            UtcOffsetNs = other.UtcOffsetNs;
        }

        /// <summary>The person in a slot, or null.</summary>
        public PersonPose FindSlot(int slot)
        {
            for (int i = 0; i < Count; i++)
            {
                if (_people[i].Slot == slot && _people[i].State != TrackState.Lost)
                {
                    return _people[i];
                }
            }
            return null;
        }

        /// <summary>The person with an identity, or null.</summary>
        public PersonPose FindTrack(long trackId)
        {
            for (int i = 0; i < Count; i++)
            {
                if (_people[i].TrackId == trackId)
                {
                    return _people[i];
                }
            }
            return null;
        }
    }
}
