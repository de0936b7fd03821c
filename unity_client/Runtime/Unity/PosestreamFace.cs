using System;
using System.Collections.Generic;
using UnityEngine;

namespace Posestream
{
    /// <summary>Something that takes expressions by name, such as a VRM.</summary>
    public interface IExpressionSink
    {
        /// <summary>The number under which an expression is set; -1 if the avatar lacks it.</summary>
        int Find(string name);

        /// <summary>weight: 0 to 1.</summary>
        void Set(int index, float weight);

        /// <summary>Called once after all expressions of a frame.</summary>
        void Apply();
    }

    /// <summary>Moves the avatar's face: VRM expressions through UniVRM where it is installed, blend shapes otherwise.</summary>
    [AddComponentMenu("posestream/Posestream Face")]
    [DefaultExecutionOrder(-50)]
    public sealed class PosestreamFace : MonoBehaviour
    {
        [Tooltip("The avatar whose person's face is taken; empty: on this object or above.")]
        public PosestreamAvatar avatar;

        [Tooltip("Meshes with blend shapes; empty: all below this object.")]
        public SkinnedMeshRenderer[] renderers = new SkinnedMeshRenderer[0];

        [Tooltip("How strongly the face moves."), Range(0f, 2f)]
        public float strength = 1f;

        [Tooltip("Do not use UniVRM even where it is there.")]
        public bool blendShapesOnly;

        private struct Shape
        {
            public int Expression;
            public SkinnedMeshRenderer Renderer;
            public int Index;
        }

        /// <summary>Makers of sinks for kinds of avatars; each returns null for avatars that are not its own.</summary>
        public static readonly List<Func<GameObject, IExpressionSink>> SinkMakers = new List<Func<GameObject, IExpressionSink>>();

        private readonly List<Shape> _shapes = new List<Shape>();
        private readonly List<int> _sinkIndex = new List<int>();
        private IExpressionSink _sink;
        private IList<string> _names;
        private int _nameCount = -1;

        /// <summary>How many blend shapes or expressions are moved.</summary>
        public int Found { get; private set; }

        private void OnEnable()
        {
            if (avatar == null)
            {
                avatar = GetComponentInParent<PosestreamAvatar>();
            }
            if (renderers.Length == 0)
            {
                renderers = GetComponentsInChildren<SkinnedMeshRenderer>();
            }
            _nameCount = -1;
        }

        private void LateUpdate() => Tick();

        /// <summary>Takes the face of this moment; called by itself while playing.</summary>
        public void Tick()
        {
            if (avatar == null || avatar.source == null || avatar.Presence <= 0f)
            {
                return;
            }
            PersonPose person = avatar.Person;
            IList<string> names = avatar.source.ExpressionNames(person.Slot);
            if (names != _names || names.Count != _nameCount)
            {
                Bind(names);
            }
            float all = strength * avatar.Presence * avatar.weight;
            if (_sink != null)
            {
                Send(person, all);
                return;
            }
            for (int i = 0; i < _shapes.Count; i++)
            {
                Shape shape = _shapes[i];
                if (shape.Expression < person.ExpressionCount)
                {
                    shape.Renderer.SetBlendShapeWeight(shape.Index, Mathf.Clamp(person.Expressions[shape.Expression] * all, 0f, 1f) * 100f);
                }
            }
        }

        private void Send(PersonPose person, float all)
        {
            int count = Math.Min(_sinkIndex.Count, person.ExpressionCount);
            for (int i = 0; i < count; i++)
            {
                if (_sinkIndex[i] >= 0)
                {
                    _sink.Set(_sinkIndex[i], Mathf.Clamp(person.Expressions[i] * all, 0f, 1f));
                }
            }
            _sink.Apply();
        }

        private void Bind(IList<string> names)
        {
            _names = names;
            _nameCount = names.Count;
            _shapes.Clear();
            _sinkIndex.Clear();
            _sink = blendShapesOnly ? null : MakeSink();
            Found = 0;
            for (int i = 0; i < _nameCount; i++)
            {
                if (_sink != null)
                {
                    int index = ExpressionNames.IsDetail(names[i], names) ? -1 : _sink.Find(names[i]);
                    _sinkIndex.Add(index);
                    Found += index >= 0 ? 1 : 0;
                }
                else
                {
                    BindShapes(i, names[i]);
                }
            }
        }

        private IExpressionSink MakeSink()
        {
            foreach (Func<GameObject, IExpressionSink> make in SinkMakers)
            {
                IExpressionSink sink = make(avatar.animator == null ? avatar.gameObject : avatar.animator.gameObject);
                if (sink != null)
                {
                    return sink;
                }
            }
            return null;
        }

        private void BindShapes(int expression, string name)
        {
            foreach (SkinnedMeshRenderer renderer in renderers)
            {
                int index = renderer == null || renderer.sharedMesh == null ? -1 : IndexOf(renderer.sharedMesh, name, _names);
                if (index >= 0)
                {
                    _shapes.Add(new Shape { Expression = expression, Renderer = renderer, Index = index });
                    Found++;
                }
            }
        }

        /// <summary>The blend shape of an expression; exporters put the mesh's name and a dot before it.</summary>
        private static int IndexOf(Mesh mesh, string name, IList<string> streamed)
        {
            foreach (string wanted in ExpressionNames.Of(name, streamed))
            {
                for (int i = 0; i < mesh.blendShapeCount; i++)
                {
                    string have = mesh.GetBlendShapeName(i);
                    bool ends = have.Length > wanted.Length && have.EndsWith("." + wanted, StringComparison.OrdinalIgnoreCase);
                    if (ends || ExpressionNames.Equal(have, wanted))
                    {
                        return i;
                    }
                }
            }
            return -1;
        }
    }
}
