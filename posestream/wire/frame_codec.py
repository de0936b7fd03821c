"""Avatar frames to and from documents; vectorised over people."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.errors import ProtocolError
from posestream.geometry.fast import every
from posestream.geometry.rotation import IDENTITY
from posestream.skeleton.humanoid import NUM_BONES, REST_HIP_HEIGHT_M
from posestream.wire import smallest_three
from posestream.wire.document import Document
from posestream.wire.layout import Record
from posestream.wire.messages import Encoding, StampedFrame, StreamFormat
from posestream.wire.schema import FRAME, MAX_PEOPLE, Axes, Rotations

_PEOPLE = FRAME.by_name["people"]
assert isinstance(_PEOPLE, Record)
_PERSON_DTYPE: Final = _PEOPLE.dtype
_MIRROR_P: Final = np.array([-1.0, 1.0, 1.0], dtype=np.float32)
_MIRROR_Q: Final = np.array([1.0, -1.0, -1.0, 1.0], dtype=np.float32)
_MASK_BYTES: Final = 8


def to_document(frame: StampedFrame, fmt: StreamFormat) -> Document:
    """The frame's document in the client's axes.

    What is not finite never leaves: such a bone becomes invalid with the identity rotation,
    such a person is left out; unknown positions stay NaN. At most ``MAX_PEOPLE`` are sent.
    """
    people = _people(frame)
    rotations = frame.quat_local_xyzw.astype(np.float32)
    positions = frame.position_world_m.astype(np.float32) if fmt.positions else None
    expressions = _weights(frame.expressions)
    if not _clean(people, rotations):
        rotations = _mend_bones(people, rotations)
        keep = _finite_people(people)
        people, rotations, expressions = people[keep], rotations[keep], expressions[keep]
        positions = None if positions is None else positions[keep]
    document: Document = {
        "frame": _head(frame, fmt.axes, len(people), expressions.shape[1]),
        "people": people,
    }
    _mirror(fmt.axes, people, rotations, positions)
    if fmt.rotations is Rotations.PACKED and fmt.encoding is Encoding.BINARY:
        document["rotations_packed"] = smallest_three.pack(rotations)
    else:
        document["rotations"] = rotations
    if positions is not None:
        document["positions"] = np.where(np.isinf(positions), np.float32(np.nan), positions)
    if expressions.size:
        document["expressions"] = expressions
    return document


def _head(frame: StampedFrame, axes: Axes, people: int, expressions: int) -> NDArray[Any]:
    row = (
        frame.index, frame.t_capture_ns, frame.t_publish_ns, frame.utc_offset_ns,
        people, NUM_BONES, expressions if people else 0, int(axes), 0,
    )  # fmt: skip
    return np.array(row, dtype=FRAME.head.dtype)


def _people(frame: StampedFrame) -> NDArray[Any]:
    people = np.zeros(len(frame), _PERSON_DTYPE)
    people["track_id"] = frame.track_id
    people["slot"] = frame.slot
    people["state"] = frame.state
    people["confidence"] = np.fmin(np.fmax(frame.confidence, 0.0), 1.0)
    people["hip_height_m"] = frame.hip_height_m
    people["root_position"] = frame.root_world_m
    people["root_rotation"] = frame.root_quat_world_xyzw
    people["bone_valid"] = _mask(frame.bone_valid)
    return people


def _mask(valid: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(N, B) to one 64-bit mask per row, lowest bit first."""
    padded = np.zeros((len(valid), _MASK_BYTES), np.uint8)
    packed = np.packbits(valid, axis=1, bitorder="little")
    padded[:, : packed.shape[1]] = packed
    return padded.view("<u8")[:, 0]


def _weights(expressions: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.fmin(np.fmax(expressions, 0.0), 1.0).astype(np.float32)


def _clean(people: NDArray[Any], rotations: NDArray[np.float32]) -> bool:
    roots = (people["root_position"], people["root_rotation"], people["hip_height_m"], rotations)
    return len(people) <= MAX_PEOPLE and all(every(np.isfinite(x)) for x in roots)


def _mend_bones(people: NDArray[Any], rotations: NDArray[np.float32]) -> NDArray[np.float32]:
    height = people["hip_height_m"]
    people["hip_height_m"] = np.where(np.isfinite(height), height, REST_HIP_HEIGHT_M)
    bad = ~np.isfinite(rotations).all(axis=2)
    people["bone_valid"] &= ~_mask(bad)
    return np.where(bad[..., None], IDENTITY.astype(np.float32), rotations)


def _finite_people(people: NDArray[Any]) -> NDArray[np.int64]:
    finite = np.isfinite(people["root_position"]).all(axis=1)
    finite &= np.isfinite(people["root_rotation"]).all(axis=1)
    return np.flatnonzero(finite)[:MAX_PEOPLE]


def _mirror(
    axes: Axes,
    people: NDArray[Any],
    rotations: NDArray[np.float32],
    positions: NDArray[np.float32] | None,
) -> None:
    """Between the world and Unity's axes, in place; its own inverse."""
    if axes is Axes.GLTF:
        return
    people["root_position"] *= _MIRROR_P
    people["root_rotation"] *= _MIRROR_Q
    rotations *= _MIRROR_Q
    if positions is not None:
        positions *= _MIRROR_P


def from_document(document: Document) -> StampedFrame:
    """The frame in world axes. Raises ProtocolError unless rotations are there exactly once."""
    head, people = document["frame"], document["people"].copy()
    rotations = _rotations(document)
    shape = rotations.shape[:2]
    positions = np.array(document.get("positions", np.full((*shape, 3), np.nan)), np.float32)
    _mirror(Axes(int(head["axes"])), people, rotations, positions)
    expressions = document.get("expressions", np.zeros((len(people), int(head["expressions"]))))
    return StampedFrame(
        int(head["sequence"]), int(head["t_capture_ns"]),
        people["slot"].astype(np.int64), people["track_id"].astype(np.int64),
        people["state"].astype(np.int64), people["confidence"].astype(np.float64),
        people["root_position"].astype(np.float64), people["root_rotation"].astype(np.float64),
        rotations.astype(np.float64), positions.astype(np.float64),
        _bits(people["bone_valid"]), people["hip_height_m"].astype(np.float64),
        expressions.astype(np.float64),
        t_publish_ns=int(head["t_publish_ns"]), utc_offset_ns=int(head["utc_offset_ns"]),
    )  # fmt: skip


def _rotations(document: Document) -> NDArray[np.float32]:
    plain, packed = document.get("rotations"), document.get("rotations_packed")
    if plain is not None and packed is not None:
        raise ProtocolError("The frame carries rotations twice.")
    if plain is not None:
        return np.array(plain, np.float32)
    if packed is not None:
        return smallest_three.unpack(packed).astype(np.float32)
    if len(document["people"]):
        raise ProtocolError("The frame carries no rotations.")
    return np.zeros((0, NUM_BONES, 4), np.float32)


def _bits(mask: NDArray[np.uint64]) -> NDArray[np.bool_]:
    shifts = np.arange(NUM_BONES, dtype=np.uint64)
    return (mask[:, None] >> shifts & np.uint64(1)).astype(np.bool_)
