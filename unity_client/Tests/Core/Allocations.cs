using System;
using System.Reflection;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>Bytes that an action allocates on this thread.</summary>
    public static class Allocations
    {
        private static readonly Func<long> Counter = Find();

        private static Func<long> Find()
        {
            MethodInfo method = typeof(GC).GetMethod("GetAllocatedBytesForCurrentThread", BindingFlags.Public | BindingFlags.Static);
            return method == null ? null : (Func<long>)Delegate.CreateDelegate(typeof(Func<long>), method);
        }

        public static long Of(int times, Action action)
        {
            if (Counter == null)
            {
                Assert.Ignore("This runtime does not count allocations.");
            }
            for (int i = 0; i < 50; i++)
            {
                action();
            }
            long before = Counter();
            for (int i = 0; i < times; i++)
            {
                action();
            }
            return Counter() - before;
        }
    }
}
