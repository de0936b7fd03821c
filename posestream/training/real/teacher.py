"""MediaPipe's landmark model as a teacher: joints, metric pose and mask of one known person.

The person's region comes from human labels, so that no detector can miss or confuse them. The
model looks twice, the second time at the mirrored picture in the region that its first answer
suggests; the answers are averaged, and their difference tells how sure the teacher is.
"""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import BackendError
from posestream.estimate.backends import mediapipe_models
from posestream.estimate.backends.mediapipe_noise import chatter_removed
from posestream.estimate.backends.mediapipe_regions import as_shares, is_usable, region
from posestream.skeleton.joints import BLAZEPOSE33, swap_sides

_CONFIG: Final = """
input_stream: "image"
input_stream: "roi"
output_stream: "pixel"
output_stream: "metric"
output_stream: "next"
output_stream: "mask"
input_side_packet: "enable_segmentation"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "ENABLE_SEGMENTATION:enable_segmentation"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  output_stream: "LANDMARKS:pixel"
  output_stream: "WORLD_LANDMARKS:metric"
  output_stream: "AUXILIARY_LANDMARKS:next"
  output_stream: "SEGMENTATION_MASK:mask"
}
"""
_OUTPUTS: Final = ("pixel", "metric", "next", "mask")


def _other_side(name: str) -> str:
    mouth = {"mouth_left": "mouth_right", "mouth_right": "mouth_left"}
    return mouth.get(name, swap_sides(name))


_SWAP: Final = np.array([BLAZEPOSE33.index(_other_side(name)) for name in BLAZEPOSE33])


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What the teacher says of one person; landmarks in the order ``BLAZEPOSE33``."""

    xy_px: F64  # (33, 2)
    score: F64  # (33,) visibility times presence
    xyz_m: F64  # (33, 3) about the mid-hips; axes of a camera that looks at the person
    mask: Image  # (H, W) 0 to 255
    doubt_px: F64  # (33,) distance between the two answers


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    xy_px: F64
    score: F64
    xyz_m: F64
    axis_px: F64
    mask: Image

    def mirrored(self) -> _Look:
        """The answer for the mirrored picture."""
        last = self.mask.shape[1] - 1.0

        def flip(xy: F64) -> F64:
            return xy * [-1.0, 1.0] + [last, 0.0]

        return _Look(
            flip(self.xy_px)[_SWAP],
            self.score[_SWAP],
            (self.xyz_m * [-1.0, 1.0, 1.0])[_SWAP],
            flip(self.axis_px),
            np.ascontiguousarray(self.mask[:, ::-1]),
        )


def _mean(a: Image, b: Image) -> Image:
    return np.asarray(cv2.addWeighted(a, 0.5, b, 0.5, 0.0), dtype=np.uint8)


class Teacher:
    """The model, ready to run; use as a context manager. Raises BackendError without MediaPipe."""

    def __init__(self) -> None:
        ok, reason = mediapipe_models.check()
        if not ok:
            raise BackendError(reason)
        with warnings.catch_warnings(), chatter_removed():
            warnings.simplefilter("ignore")  # protobuf's and matplotlib's own deprecations
            self._start()
        self._time = 0
        self._found: dict[str, Any] = {}

    def _start(self) -> None:
        import mediapipe
        from mediapipe.framework.formats import rect_pb2
        from mediapipe.python import packet_creator, packet_getter
        from mediapipe.python._framework_bindings import resource_util

        self._creator, self._getter = packet_creator, packet_getter
        self._srgb, self._Rect = mediapipe.ImageFormat.SRGB, rect_pb2.NormalizedRect
        resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))
        self._graph = mediapipe.CalculatorGraph(graph_config=_CONFIG)
        for name in _OUTPUTS:
            self._graph.observe_output_stream(name, self._keep)
        self._graph.start_run({"enable_segmentation": packet_creator.create_bool(True)})

    def _keep(self, name: str, packet: Any) -> None:
        self._found[name] = packet

    def teach(self, picture: Image, region_px: F64) -> Lesson | None:
        """Look at the person in a region (4,) of a BGR picture; None if nobody is seen there.

        The region is centre x, centre y, side and rotation, as ``region_of`` gives.
        """
        size = (picture.shape[1], picture.shape[0])
        first = self._look(picture, region_px) if is_usable(region_px, size) else None
        if first is None:
            return None
        turned = first.mirrored()
        again = region(turned.axis_px)
        if not is_usable(again, size):
            return None
        second = self._look(np.ascontiguousarray(picture[:, ::-1]), again)
        if second is None:
            return None
        second = second.mirrored()
        return Lesson(
            0.5 * (first.xy_px + second.xy_px),
            np.minimum(first.score, second.score),
            0.5 * (first.xyz_m + second.xyz_m),
            _mean(first.mask, second.mask),
            np.linalg.norm(first.xy_px - second.xy_px, axis=1),
        )

    def _look(self, picture: Image, region_px: F64) -> _Look | None:
        height, width = picture.shape[:2]
        x, y, w, h, angle = as_shares(region_px, (width, height))
        rect = self._Rect(x_center=x, y_center=y, width=w, height=h, rotation=angle)
        rgb = np.ascontiguousarray(picture[..., ::-1])
        image = self._creator.create_image_frame(image_format=self._srgb, data=rgb)
        self._found = {}
        self._time += 1
        with chatter_removed() if self._time <= 2 else contextlib.nullcontext():
            try:
                self._graph.add_packet_to_input_stream("image", image.at(self._time))
                roi = self._creator.create_proto(rect).at(self._time)
                self._graph.add_packet_to_input_stream("roi", roi)
                self._graph.wait_until_idle()
            except (RuntimeError, ValueError) as error:
                raise BackendError(f"MediaPipe failed on a picture: {error}.") from error
        if any(n not in self._found or self._found[n].is_empty() for n in _OUTPUTS):
            return None
        return self._answer((width, height))

    def _answer(self, size: tuple[int, int]) -> _Look:
        pixel, metric, following = (
            self._getter.get_proto(self._found[name]).landmark for name in _OUTPUTS[:3]
        )
        share = np.array([(p.x, p.y) for p in pixel])
        axis = np.array([(p.x, p.y) for p in following[:2]])
        mask = self._getter.get_image(self._found["mask"]).numpy_view()
        return _Look(
            share * size - 0.5,
            np.array([p.visibility * p.presence for p in pixel]),
            np.array([(p.x, p.y, p.z) for p in metric]),
            axis * size - 0.5,
            np.clip(np.rint(mask * 255.0), 0, 255).astype(np.uint8).reshape(size[1], size[0]),
        )

    def close(self) -> None:
        """Free the model. May be called twice."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None
