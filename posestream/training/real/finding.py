"""People on photos that nobody labelled: MediaPipe's detector finds, the teacher must be sure.

Nobody knows whether all were found, so everything but the found people's nearest neighbourhood
stays unknown. A find counts if the teacher's two answers agree and it sees most of the body.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from posestream.arrays import F64, Image
from posestream.estimate.backends.mediapipe_graph import PoseGraph
from posestream.estimate.backends.mediapipe_people import trunk, without_duplicates
from posestream.estimate.backends.mediapipe_regions import crops, is_known, region
from posestream.training.real.bodies import body_of
from posestream.training.real.conventions import LIMB_JOINTS
from posestream.training.real.learning import extent_px, inside
from posestream.training.real.teacher import Lesson, Teacher

_LEAST_SCORE: Final = (0.55, 0.7)  # of a find in large and in small crops
_SEEN: Final = 0.6
_LEAST_SEEN: Final = 5  # of the twelve joints of the limbs
_LEAST_MEAN: Final = 0.75  # score of those in the picture
_LEAST_ARMS: Final = 0.8  # or of shoulders, elbows and wrists: desks hide legs
_AGREE: Final = 0.03  # of the extent: median distance between the teacher's two answers
_LEAST_EXTENT_PX: Final = 40.0


class Finder:
    """The detector, ready to run. Raises BackendError without MediaPipe."""

    def __init__(self) -> None:
        self._graph = PoseGraph(1)

    def axes(self, picture: Image) -> list[F64]:
        """(2, 2) axis of everybody found in a BGR picture, each once, surest first."""
        rgb = np.ascontiguousarray(picture[..., ::-1])
        finds = []
        size = (picture.shape[1], picture.shape[0])
        for views, least in zip(crops(size), _LEAST_SCORE, strict=True):
            _, found = self._graph.run(rgb, [], [view.of(rgb) for view in views])
            finds += [
                (one.score, view.to_picture(one.keypoints) - 0.5)
                for view, people in zip(views, found, strict=True)
                for one in people
                if one.score >= least
            ]
        known: list[F64] = []
        axes = []
        for _, points in sorted(finds, key=lambda f: -f[0]):
            if not is_known(points[[0, 2]], known):
                known.append(points[[0, 2]])
                axes.append(points[:2])
        return axes

    def close(self) -> None:
        """Free the model. May be called twice."""
        self._graph.close()


def find(picture: Image, finder: Finder, teacher: Teacher) -> list[Lesson]:
    """Everybody of whom the teacher is sure."""
    lessons = [teacher.teach(picture, region(axis)) for axis in finder.axes(picture)]
    sure = [x for x in lessons if x is not None and is_sure(x)]
    if not sure:
        return []
    rows = without_duplicates(np.array([x.xy_px for x in sure]), np.array([x.score for x in sure]))
    kept: list[Lesson] = []
    for row in rows:
        if not is_known(trunk(sure[row].xy_px), [trunk(x.xy_px) for x in kept]):
            kept.append(sure[row])
    return kept


def is_sure(lesson: Lesson) -> bool:
    """Whether a lesson may be believed without any human label."""
    xy, _xyz, score = body_of(lesson, 1.7)
    there = inside(xy, (lesson.mask.shape[1], lesson.mask.shape[0]))[LIMB_JOINTS]
    scores, arms = score[LIMB_JOINTS][there], score[LIMB_JOINTS[:6]]
    extent = extent_px(xy)
    return bool(
        extent >= _LEAST_EXTENT_PX
        and (scores >= _SEEN).sum() >= _LEAST_SEEN
        and (scores.mean() >= _LEAST_MEAN or arms.mean() >= _LEAST_ARMS)
        and np.median(lesson.doubt_px) <= _AGREE * extent
    )
