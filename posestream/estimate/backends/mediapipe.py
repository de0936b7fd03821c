"""MediaPipe's BlazePose for several people.

Its own multi-person task detects again in every picture as long as fewer people are there
than were asked for, runs one person after the other, and lets tracks collapse onto one
person. Here the detector looks only now and then, in turn at the whole picture and at squares
of it; known people are followed by their own landmarks, on all cores at once; duplicates and
implausible finds are dropped.
"""

from __future__ import annotations

import os

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.estimate.backends import mediapipe_people as people
from posestream.estimate.backends import mediapipe_regions as regions
from posestream.estimate.backends.mediapipe_graph import Detection, Landmarks, PoseGraph
from posestream.estimate.base import EstimateSettings
from posestream.geometry.camera import normalized_rays
from posestream.geometry.rotation import between, normalize, rotate
from posestream.skeleton.joints import JOINT, NUM_JOINTS
from posestream.types import Camera, Estimate, Frame, People2D, PeopleRoot

_MAX_LANES = 4
_SURER_IF_SMALL, _SUREST = 0.1, 0.95
_FORWARD: F64 = np.array([0.0, 0.0, 1.0])


class MediapipeEstimator:
    """Follows up to ``max_people`` people from frame to frame."""

    name = "mediapipe"

    def __init__(self, settings: EstimateSettings) -> None:
        """Load the models (about half a second). Raises BackendError."""
        self._settings = settings
        lanes = settings.threads or min(os.cpu_count() or 1, _MAX_LANES)
        self._graph = PoseGraph(min(lanes, settings.max_people))
        self._size_px = (0, 0)
        self._large: list[regions.Crop] = []
        self._small: list[regions.Crop] = []
        self._followed: list[F64] = []  # regions (4,) of the people of the last frame
        self._trunks: list[F64] = []  # (2, 2) pixels, of the same people
        self._frames = 0
        self._turn = 0  # looks taken since the first picture

    def estimate(self, frame: Frame) -> Estimate:
        """Everybody in the picture, surest first. Raises BackendError if MediaPipe fails."""
        image = _rgb(frame.image)
        self._begin(image)
        looks = self._looks()
        found, detections = self._run(image, self._followed, looks)
        new = self._new_regions(detections, looks)
        if new:
            found += self._run(image, new, [])[0]
        kept = self._choose([f for f in found if f is not None])
        return _as_estimate(kept, self._size_px, frame.camera)

    def close(self) -> None:
        """Release the models. May be called twice."""
        self._graph.close()

    def _begin(self, image: Image) -> None:
        size_px = (image.shape[1], image.shape[0])
        if size_px != self._size_px:
            self._size_px = size_px
            self._large, self._small = regions.crops(size_px)
            self._followed, self._trunks, self._frames = [], [], 0
        self._frames += 1

    def _looks(self) -> list[regions.Crop]:
        """What the detector looks at in this frame."""
        if self._frames == 1:
            return self._large + self._small
        if len(self._followed) >= self._settings.max_people:
            return []
        if self._followed and self._frames % self._settings.detect_every:
            return []
        self._turn += 1
        return [crops[self._turn % len(crops)] for crops in (self._large, self._small)]

    def _run(
        self, image: Image, followed: list[F64], looks: list[regions.Crop]
    ) -> tuple[list[Landmarks | None], list[list[Detection]]]:
        rois = [regions.as_shares(r, self._size_px) for r in followed]
        return self._graph.run(image, rois, [crop.of(image) for crop in looks])

    def _new_regions(
        self, detections: list[list[Detection]], looks: list[regions.Crop]
    ) -> list[F64]:
        """Regions of people whom the detector saw and nobody follows yet, surest first."""
        known, new = list(self._trunks), []
        finds = [(d, look) for look, ds in zip(looks, detections, strict=True) for d in ds]
        for detection, crop in sorted(finds, key=lambda find: -find[0].score):
            points_px = crop.to_picture(detection.keypoints)
            trunk_px, region_px = points_px[[0, 2]], regions.region(points_px[:2])
            if (
                detection.score >= self._needed_score(crop)
                and regions.is_usable(region_px, self._size_px)
                and not regions.is_known(trunk_px, known)
            ):
                known.append(trunk_px)
                new.append(region_px)
        return new[: self._settings.max_people - len(self._followed)]

    def _needed_score(self, crop: regions.Crop) -> float:
        surer = 0.0 if crop in self._large else _SURER_IF_SMALL
        return min(self._settings.min_detection + surer, _SUREST)

    def _choose(self, found: list[Landmarks]) -> list[Landmarks]:
        """Real and different people; they are followed in the next frame."""
        if found:
            xy_px = np.stack([f.xy for f in found]) * self._size_px
            score = np.stack([f.score for f in found])
            least = self._settings.min_presence
            good = people.plausible(xy_px, score, self._size_px, least)
            order = people.without_duplicates(xy_px, score)
            found = [found[row] for row in order if good[row]][: self._settings.max_people]
        followed = [(f, regions.region(f.axis * self._size_px)) for f in found]
        followed = [(f, r) for f, r in followed if regions.is_usable(r, self._size_px)]
        self._followed = [r for _, r in followed]
        self._trunks = [people.trunk(f.xy * self._size_px) for f, _ in followed]
        return found


def _rgb(bgr: Image) -> Image:
    rgb: Image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    rgb.setflags(write=False)  # lets MediaPipe share the pixels instead of copying them
    return rgb


def _as_estimate(found: list[Landmarks], size_px: tuple[int, int], camera: Camera) -> Estimate:
    if not found:
        nobody = People2D(np.zeros((0, NUM_JOINTS, 2)), np.zeros((0, NUM_JOINTS)), np.zeros(0))
        return Estimate(nobody, PeopleRoot(np.zeros((0, NUM_JOINTS, 3))))
    marks_px = np.stack([f.xy for f in found]) * size_px - 0.5  # pixel centres at integers
    score = np.stack([f.score for f in found])
    xy_px = people.body_joints(marks_px)
    xyz_m = people.body_joints(np.stack([f.xyz_m for f in found]))
    xyz_m = xyz_m - xyz_m[:, JOINT["pelvis"], None]
    people2d = People2D(xy_px, people.body_scores(score), people.person_score(score))
    return Estimate(people2d, PeopleRoot(_towards_ray(xyz_m, xy_px, camera)))


def _towards_ray(xyz_m: F64, xy_px: F64, camera: Camera) -> F64:
    """Turn each body from the axes of its own crop to those of the camera.

    The model sees every person as if the camera looked straight at it; someone at the edge
    of a wide picture is really seen along a slanting ray.
    """
    rays = normalized_rays(xy_px[:, JOINT["pelvis"]], camera.K_px, camera.distortion)
    ray = normalize(np.concatenate([rays, np.ones((len(rays), 1))], axis=1))
    turn = between(np.broadcast_to(_FORWARD, ray.shape), ray)
    return rotate(turn[:, None], xyz_m)
