using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using NUnit.Framework;

namespace Posestream.Tests
{
    /// <summary>
    /// What the compiled client asks of Unity is on a list, member by member, so that nothing comes in unnoticed: who adds a
    /// line looks it up in the scripting references of 2021.3 and of 6 first and says where in unity_api_seen.tsv.
    /// POSESTREAM_API: tests/unity/unity_api.txt.
    /// </summary>
    [TestFixture]
    public class ApiTests
    {
        private const int TypeRef = 0x01000000;
        private const int MemberRef = 0x0A000000;
        private const int MostRows = 5000;

        [Test]
        public void OnlyWhatIsListedIsUsed()
        {
            string path = Environment.GetEnvironmentVariable("POSESTREAM_API");
            if (string.IsNullOrEmpty(path))
            {
                Assert.Ignore("POSESTREAM_API does not name tests/unity/unity_api.txt.");
            }
            SortedSet<string> used = new SortedSet<string>(StringComparer.Ordinal);
            foreach (Type one in new[] { typeof(PosestreamSource), typeof(PosestreamWindow) })
            {
                Add(used, one.Module);
            }
            // a folder of the build's own, so that the list can be written anew by copying it
            string folder = Environment.GetEnvironmentVariable("POSESTREAM_UNITY_OUT");
            if (!string.IsNullOrEmpty(folder))
            {
                File.WriteAllLines(Path.Combine(folder, "unity_api.txt"), used);
            }
            HashSet<string> allowed = new HashSet<string>(File.ReadAllLines(path), StringComparer.Ordinal);
            Assert.Greater(used.Count, 100);
            CollectionAssert.IsEmpty(new List<string>(used).FindAll(name => !allowed.Contains(name)), "used, but not on the list");
            used.SymmetricExceptWith(allowed);
            CollectionAssert.IsEmpty(used, "on the list, but not used");
        }

        [Test]
        public void TheCoreUsesNoEngine()
        {
            SortedSet<string> used = new SortedSet<string>(StringComparer.Ordinal);
            Add(used, typeof(FrameDecoder).Module);
            CollectionAssert.IsEmpty(used);
        }

        private static void Add(ISet<string> used, Module module)
        {
            for (int row = 1; ; row++)
            {
                Type type;
                try
                {
                    type = module.ResolveType(TypeRef | row);
                }
                catch (ArgumentException)
                {
                    break; // the end of the table
                }
                if (IsUnitys(type))
                {
                    used.Add(Name(type));
                }
            }
            for (int row = 1; row < MostRows; row++)
            {
                MemberInfo member;
                try
                {
                    member = module.ResolveMember(MemberRef | row);
                }
                catch (ArgumentException)
                {
                    continue; // a member of a generic type, or behind the table's end
                }
                if (member.DeclaringType != null && IsUnitys(member.DeclaringType))
                {
                    used.Add(Name(member.DeclaringType) + "." + member.Name + Parameters(member as MethodBase));
                }
            }
        }

        private static bool IsUnitys(Type type)
        {
            string assembly = type.Assembly.GetName().Name;
            return assembly == "UnityEngine" || assembly == "UnityEditor";
        }

        private static string Name(Type type) => (type.IsNested ? Name(type.DeclaringType) : type.Namespace) + "." + type.Name;

        private static string Parameters(MethodBase method) =>
            method == null ? "" : "(" + string.Join(", ", Array.ConvertAll(method.GetParameters(), p => p.ParameterType.Name)) + ")";
    }
}
