"""Files that ship with the package; see README.md beside this file for their sources."""

from pathlib import Path
from typing import Final

DEMO_CLIP: Final = Path(__file__).resolve().parent / "demo.mp4"
"""Two people in a room, rendered; what plays where no camera is connected."""

DEMO_TRUTH: Final = DEMO_CLIP.with_name("demo_truth.npz")
"""Where every joint is in each of its frames."""

FACE_MODEL: Final = DEMO_CLIP.with_name("face_model.npz")
"""The canonical face and the network from its changes to expression values."""

HAND_MODEL: Final = DEMO_CLIP.with_name("hand_model.npz")
"""The network from a hand's points to its pose."""
