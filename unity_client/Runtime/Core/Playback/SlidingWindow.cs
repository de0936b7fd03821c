using System;

namespace Posestream
{
    /// <summary>The last so many values and their order statistics, without allocation.</summary>
    public sealed class SlidingWindow
    {
        private readonly double[] _values;
        private readonly double[] _scratch;
        private int _next;

        public SlidingWindow(int capacity)
        {
            _values = new double[capacity];
            _scratch = new double[capacity];
        }

        public int Count { get; private set; }

        public void Add(double value)
        {
            _values[_next] = value;
            _next = (_next + 1) % _values.Length;
            Count = Math.Min(Count + 1, _values.Length);
        }

        public void Clear()
        {
            Count = _next = 0;
        }

        public double Min()
        {
            double least = double.PositiveInfinity;
            for (int i = 0; i < Count; i++)
            {
                least = Math.Min(least, _values[i]);
            }
            return Count > 0 ? least : 0.0;
        }

        /// <summary>The value below which the fraction q (0 to 1) of them lies; 0 without values.</summary>
        public double Quantile(double q)
        {
            if (Count == 0)
            {
                return 0.0;
            }
            Array.Copy(_values, _scratch, Count);
            int rank = (int)Math.Round(Numeric.Clamp(q, 0.0, 1.0) * (Count - 1));
            return Select(rank);
        }

        /// <summary>Hoare's selection.</summary>
        private double Select(int rank)
        {
            int low = 0;
            int high = Count - 1;
            while (low < high)
            {
                double pivot = _scratch[(low + high) >> 1];
                int i = low;
                int j = high;
                while (i <= j)
                {
                    while (_scratch[i] < pivot)
                    {
                        i++;
                    }
                    while (_scratch[j] > pivot)
                    {
                        j--;
                    }
                    if (i <= j)
                    {
                        double swap = _scratch[i];
                        _scratch[i++] = _scratch[j];
                        _scratch[j--] = swap;
                    }
                }
                if (rank <= j)
                {
                    high = j;
                }
                else if (rank >= i)
                {
                    low = i;
                }
                else
                {
                    break;
                }
            }
            return _scratch[rank];
        }
    }
}
