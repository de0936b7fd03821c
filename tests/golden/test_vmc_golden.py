"""The exact bytes of one small frame: a change here is a change that receivers see."""

from __future__ import annotations

import numpy as np

from posestream.skeleton.humanoid import NUM_BONES
from posestream.types import AvatarFrame
from posestream.wire.vmc import VmcEncoder
from posestream.wire.vmc_target import VmcTarget

GOLDEN = bytes.fromhex(
    "2362756e646c65000000000000000001"  # #bundle, at once
    "00000024" "2f564d432f4578742f4f4b00" "2c69696969000000"  # /VMC/Ext/OK ,iiii
    "00000001" "00000003" "00000000" "00000001"
    "00000014" "2f564d432f4578742f540000" "2c660000" "00000000"  # /VMC/Ext/T ,f 0
    "00000044" "2f564d432f4578742f526f6f742f506f73000000"  # /VMC/Ext/Root/Pos
    "2c7366666666666666000000" "726f6f7400000000"  # ,sfffffff root
    "00000000" "00000000" "00000000"
    "00000000" "00000000" "00000000" "3f800000"
    "00000044" "2f564d432f4578742f426f6e652f506f73000000"  # /VMC/Ext/Bone/Pos
    "2c7366666666666666000000" "4869707300000000"  # ,sfffffff Hips
    "bf800000" "3f000000" "40000000"  # -1 0.5 2: x is mirrored
    "3f000000" "bf000000" "bf000000" "3f000000"  # 0.5 -0.5 -0.5 0.5
    "00000020" "2f564d432f4578742f426c656e642f56616c0000"  # /VMC/Ext/Blend/Val
    "2c736600" "4a6f7900" "3e800000"  # ,sf Joy 0.25
    "0000001c" "2f564d432f4578742f426c656e642f4170706c7900000000"  # /VMC/Ext/Blend/Apply
    "2c000000"
)  # fmt: skip


def test_one_small_frame() -> None:
    ids = np.zeros(1, dtype=np.int64)
    q = np.full((1, NUM_BONES, 4), 0.5)
    frame = AvatarFrame(
        0, 123, ids, ids, ids, np.ones(1), np.array([[1.0, 0.5, 2.0]]), q[:, 0], q,
        np.zeros((1, NUM_BONES, 3)), np.ones((1, NUM_BONES), dtype=np.bool_),
        np.array([0.92]), np.array([[0.25]]),
    )  # fmt: skip
    encoder = VmcEncoder(VmcTarget(bones=("Hips",)), expression_names=("happy",))
    assert encoder.encode(frame) == [(39539, [GOLDEN])]
