"""Things worn on the head that the asset folder lacks, built from boxes and tubes."""

from __future__ import annotations

import numpy as np

from posestream.arrays import F64, I64
from posestream.training.synth.bodies import Body
from posestream.training.synth.rig import face_points


def headphones(body: Body) -> tuple[F64, I64]:
    """A band over the head and a cup on each ear: vertices (V, 3) and faces (F, 4)."""
    points = face_points(body)
    left, right = points["left_ear"], points["right_ear"]
    top = points["head_top"] + [0.0, 0.012, 0.0]
    middle = 0.5 * (left + right)
    half, rise = 0.5 * abs(left[0] - right[0]) + 0.012, float(top[1] - middle[1])
    angle = np.linspace(0.0, np.pi, 13)
    path = middle + np.stack(
        [half * np.cos(angle), rise * np.sin(angle), np.zeros(13)], axis=-1
    )  # fmt: skip
    parts = [_tube(path, 0.010)]
    for ear, sign in ((left, 1.0), (right, -1.0)):
        outer = ear + np.array([sign * 0.03, 0.0, 0.0])
        parts.append(_tube(np.stack([ear - [sign * 0.01, 0, 0], outer]), 0.038))
    return _join(parts)


def spectacles(body: Body) -> tuple[F64, I64]:
    """Frames round both eyes, a bridge and temples."""
    points = face_points(body)
    parts = []
    angle = np.linspace(0.0, 2.0 * np.pi, 13)
    size = abs(float(points["left_eye"][0] - points["right_eye"][0])) / 0.062
    front = points["left_eye"][2] + 0.028 * size
    for side in ("left", "right"):
        eye, ear = points[f"{side}_eye"].copy(), points[f"{side}_ear"]
        eye[2] = front
        rim = np.stack(
            [0.024 * size * np.cos(angle), 0.018 * size * np.sin(angle), np.zeros(13)], axis=-1
        )
        parts.append(_tube(eye + rim, 0.0016))
        sign = np.sign(eye[0])
        hinge = eye + np.array([sign * 0.024 * size, 0.004, 0.0])
        parts.append(_tube(np.stack([hinge, ear + np.array([sign * 0.002, 0.02, 0.0])]), 0.0016))
    ends = [points[f"{side}_eye"] * [1, 1, 0] + [0, 0.004, front] for side in ("left", "right")]
    inner = np.array([0.024 * size, 0.0, 0.0])
    parts.append(_tube(np.stack([ends[0] - inner, ends[1] + inner]), 0.0016))
    return _join(parts)


def _tube(path: F64, radius: float, sides: int = 6) -> tuple[F64, I64]:
    """A closed tube along a path (P, 3)."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    hint = np.array([0.0, 0.0, 1.0]) if abs(along[0, 2]) < 0.8 else np.array([0.0, 1.0, 0.0])
    u = np.cross(along, hint)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    w = np.cross(along, u)
    turn = np.arange(sides) * 2.0 * np.pi / sides
    ring = np.cos(turn)[:, None] * u[:, None] + np.sin(turn)[:, None] * w[:, None]
    vertex = np.vstack([(path[:, None] + radius * ring).reshape(-1, 3), path[[0, -1]]])
    faces = []
    for p in range(len(path) - 1):
        for s in range(sides):
            a, b = p * sides + s, p * sides + (s + 1) % sides
            faces.append([a, a + sides, b + sides, b])
    last = (len(path) - 1) * sides
    for s in range(sides):
        n = (s + 1) % sides
        faces.append([len(vertex) - 2, s, n, n])
        faces.append([len(vertex) - 1, last + n, last + s, last + s])
    return vertex, np.array(faces)


def _join(parts: list[tuple[F64, I64]]) -> tuple[F64, I64]:
    start = np.cumsum([0, *(len(v) for v, _ in parts[:-1])])
    vertex = np.vstack([v for v, _ in parts])
    return vertex, np.vstack([f + s for (_, f), s in zip(parts, start, strict=True)])
