"""Pictures in: cameras, videos, streams, folders, scripted people. Newest frame wins."""

import os

# OpenCV reads these once, when it is loaded or first opens a video: so they are set before
# any module of this package imports it. Its own messages would garble the status line, and
# a small file may claim to be a picture that fills the memory.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))

from posestream.capture.cameras import CameraInfo, list_cameras
from posestream.capture.opening import open_source, reopener

__all__ = ["CameraInfo", "list_cameras", "open_source", "reopener"]
