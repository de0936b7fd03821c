"""MediaPipe's detector and landmark model as two functions that run on several cores at once.

A calculator graph holds ``lanes`` copies of each model; jobs are dealt to them in turn. Each
lane has its own input streams, so that a picture needs not pass through idle lanes.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posestream.arrays import F64, Image
from posestream.errors import BackendError
from posestream.estimate.backends import mediapipe_models
from posestream.estimate.backends.mediapipe_noise import chatter_removed

_DETECT = """
input_stream: "view_{k}"
output_stream: "detections_{k}"
node {{
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:view_{k}"
  output_stream: "DETECTIONS:detections_{k}"
}}
"""
_LANDMARKS = """
input_stream: "image_{k}"
input_stream: "roi_{k}"
output_stream: "pixel_{k}"
output_stream: "metric_{k}"
output_stream: "next_{k}"
node {{
  calculator: "PoseLandmarkByRoiCpu"
  input_stream: "IMAGE:image_{k}"
  input_stream: "ROI:roi_{k}"
  output_stream: "LANDMARKS:pixel_{k}"
  output_stream: "WORLD_LANDMARKS:metric_{k}"
  output_stream: "AUXILIARY_LANDMARKS:next_{k}"
}}
"""
_OUTPUTS = ("detections", "pixel", "metric", "next")


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One person found in a view; keypoints: mid-hips, body circle, mid-shoulders, upper circle."""

    score: float
    keypoints: F64  # (4, 2) as shares of the view's width and height


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """One person's joints; ``axis`` is the mid-hips and the point that spans the body circle."""

    xy: F64  # (33, 2) as shares of the picture's width and height
    score: F64  # (33,) visibility times presence
    xyz_m: F64  # (33, 3) about the mid-hips, in the axes of the picture
    axis: F64  # (2, 2) as shares of the picture's width and height


class PoseGraph:
    """Both models, ready to run. One thread uses it at a time."""

    def __init__(self, lanes: int) -> None:
        """Load ``lanes`` copies of each model and run them once. Raises BackendError."""
        self._lanes = lanes
        self._time = 0
        self._lock = threading.Lock()
        self._packets: dict[tuple[str, int, int], Any] = {}
        self._graph: Any = None
        with warnings.catch_warnings(), chatter_removed():
            warnings.simplefilter("ignore")  # protobuf's and matplotlib's own deprecations
            folder = mediapipe_models.resource_folder()
            try:
                self._start(str(folder))
            except (ImportError, RuntimeError, ValueError) as error:
                raise BackendError(
                    f"MediaPipe cannot be started ({error}): run {mediapipe_models.INSTALL}."
                ) from error

    def run(
        self, image: Image, rois: list[F64], views: list[Image]
    ) -> tuple[list[Landmarks | None], list[list[Detection]]]:
        """Landmarks in each region of the RGB ``image``, and the people in each RGB view.

        A region is (centre x, centre y, width, height, rotation in radians) with lengths as
        shares of the picture; None where its content is no person. Raises BackendError.
        """
        started = self._time
        try:
            self._feed_landmarks(image, rois, started)
            self._feed_views(views, started)
            self._graph.wait_until_idle()
        except (RuntimeError, ValueError) as error:
            raise BackendError(f"MediaPipe failed on a picture: {error}.") from error
        self._time += 1 + max(len(rois), len(views)) // self._lanes
        packets, self._packets = self._packets, {}
        return (
            [self._landmarks(packets, *self._job(i, started)) for i in range(len(rois))],
            [self._detections(packets, *self._job(i, started)) for i in range(len(views))],
        )

    def close(self) -> None:
        """Stop the graph's threads and free the models. May be called twice."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def _start(self, folder: str) -> None:
        import mediapipe
        from mediapipe.framework.formats import rect_pb2
        from mediapipe.python import packet_creator, packet_getter
        from mediapipe.python._framework_bindings import resource_util

        self._creator, self._getter = packet_creator, packet_getter
        self._srgb, self._Rect = mediapipe.ImageFormat.SRGB, rect_pb2.NormalizedRect
        config = "".join((_DETECT + _LANDMARKS).format(k=k) for k in range(self._lanes))
        self._graph = mediapipe.CalculatorGraph(graph_config=config)
        for k in range(self._lanes):
            for output in _OUTPUTS:
                self._graph.observe_output_stream(f"{output}_{k}", self._collect(output, k))
        resource_util.set_resource_dir(folder)
        try:
            self._graph.start_run({})
            self._warm_up()
        finally:  # other users of MediaPipe in this process find its own models again
            resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))

    def _warm_up(self) -> None:
        black: Image = np.zeros((64, 64, 3), dtype=np.uint8)
        everything = np.array([0.5, 0.5, 1.0, 1.0, 0.0])
        self.run(black, [everything] * self._lanes, [black] * self._lanes)

    def _collect(self, output: str, lane: int) -> Any:
        def store(_name: str, packet: Any) -> None:
            with self._lock:
                self._packets[output, lane, packet.timestamp.value] = packet

        return store

    def _job(self, number: int, started: int) -> tuple[int, int]:
        """Lane and timestamp of a job."""
        return number % self._lanes, started + number // self._lanes

    def _feed_landmarks(self, image: Image, rois: list[F64], started: int) -> None:
        if not rois:
            return
        picture = self._creator.create_image_frame(image_format=self._srgb, data=image)
        for number, (x, y, width, height, angle) in enumerate(rois):
            lane, time = self._job(number, started)
            rect = self._Rect(x_center=x, y_center=y, width=width, height=height, rotation=angle)
            self._graph.add_packet_to_input_stream(f"image_{lane}", picture.at(time))
            self._graph.add_packet_to_input_stream(
                f"roi_{lane}", self._creator.create_proto(rect).at(time)
            )

    def _feed_views(self, views: list[Image], started: int) -> None:
        for number, view in enumerate(views):
            lane, time = self._job(number, started)
            packet = self._creator.create_image_frame(image_format=self._srgb, data=view)
            self._graph.add_packet_to_input_stream(f"view_{lane}", packet.at(time))

    def _detections(self, packets: dict[Any, Any], lane: int, time: int) -> list[Detection]:
        packet = packets.get(("detections", lane, time))
        if packet is None or packet.is_empty():
            return []
        return [
            Detection(
                float(found.score[0]),
                np.array([(p.x, p.y) for p in found.location_data.relative_keypoints]),
            )
            for found in self._getter.get_proto_list(packet)
        ]

    def _landmarks(self, packets: dict[Any, Any], lane: int, time: int) -> Landmarks | None:
        found = [packets.get((output, lane, time)) for output in ("pixel", "metric", "next")]
        if any(packet is None for packet in found):
            return None
        pixel, metric, following = (self._getter.get_proto(packet).landmark for packet in found)
        rows = np.array([(p.x, p.y, p.visibility * p.presence) for p in pixel])
        return Landmarks(
            xy=rows[:, :2],
            score=rows[:, 2],
            xyz_m=np.array([(p.x, p.y, p.z) for p in metric]),
            axis=np.array([(p.x, p.y) for p in following[:2]]),
        )
