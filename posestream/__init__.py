"""posestream: one ordinary camera in, every person's avatar out, live.

Importing the package is cheap on purpose: neither torch, OpenCV nor MediaPipe is
loaded until the stage that needs it is used.
"""

__version__ = "0.1.0"
