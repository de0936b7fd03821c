"""The outlier gate: limbs that turn faster than limbs can, because the picture was misread.

Estimates from one camera now and then confuse left with right or front with back, for a
frame or a few. Each body segment's direction is compared with a short prediction from its own
motion. Where it is further off than people move, and

- the two arms or legs exchanged fit far better, they are exchanged;
- they do not, the segment goes on as predicted for a moment.

Both end after a bounded time, since the prediction may be what is wrong; the segment
then turns to what is measured at a bounded speed. Joints of people who move as people do
come back untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from posestream.arrays import F64, I64, Bool
from posestream.geometry.fast import dot, every, pick, same, some, unit
from posestream.smooth import segments as seg
from posestream.types import Tracks, TrackState

# How fast a direction may leave its prediction, degrees per second. The fastest people,
# throwing and kicking, turn forearms at about 2,300, shanks at 1,500 and thighs at 800
# degrees per second, but take more than one frame at 30 Hz to get there: in motion capture
# of fights and acrobatics fewer than one frame in 10,000 exceeds these bounds. Those of hands
# and feet are set above their forearms' and shanks', for want of such data.
_DEG_PER_S: Final = (
    750.0, 750.0, 1000.0, 1000.0, 1200.0, 1200.0,  # upper arms, forearms, hands
    550.0, 550.0, 800.0, 800.0, 900.0, 900.0,  # thighs, shanks, feet
    300.0, 350.0, 400.0, 400.0,  # trunk, head, hips, shoulders
)  # fmt: skip
_RATE: Final[F64] = np.radians(_DEG_PER_S)
_SLACK_RAD: Final = np.radians(3.0)
_NOISES: Final = 2.0  # and so many times the recent mean error
_MAX_NOISE_RAD: Final = np.radians(15.0)
_FIRST_NOISE_RAD: Final = np.radians(2.0)
_NOISE_S: Final = 0.5
_FLOW_S: Final = 0.03  # over which a segment's velocity is taken
_LEARN_S: Final = np.array([_FLOW_S, _NOISE_S])[:, None, None]
_DAMPING: Final = 0.8
_FAR_BETTER: Final = 0.6
_HOLD_S: Final = 0.07  # two frames at 30 Hz
_ALTERNATIVE_S: Final = 0.25  # four of five such errors last no longer
_RETURN_RAD_S: Final[F64] = 0.8 * _RATE  # of limbs that were held back too long
_GAP_S: Final = 0.2  # hidden for longer: what was before says nothing any more
_MIN_SCORE: Final = 0.3
_TIME_SLACK_S: Final = 1e-3
_TRACKED: Final = int(TrackState.TRACKED)  # numpy compares with an enumeration slowly


@dataclass(slots=True)
class _State:
    """What is remembered of N people and their S segments."""

    track_id: I64  # (N,)
    seen_s: F64  # (N, S) when last known
    along: F64  # (N, S, 3) last direction
    flow: F64  # (N, S, 3) its velocity, per second
    noise_rad: F64  # (N, S)
    held_s: F64  # (N, S) gone on as predicted for so long
    swapped_s: F64  # (N, 2) arms, legs
    returning: Bool  # (N, S)

    def take(self, track_id: I64) -> _State:
        """The same for these people; new ones are blank."""
        row_of = {int(k): i for i, k in enumerate(self.track_id)}
        rows = np.array([row_of.get(int(k), -1) for k in track_id], dtype=np.int64)
        fresh, known = _blank(track_id), rows >= 0
        for name in _FIELDS:
            getattr(fresh, name)[known] = getattr(self, name)[rows[known]]
        return fresh


_FIELDS: Final = tuple(name for name in _State.__slots__ if name != "track_id")


def _blank(track_id: I64) -> _State:
    shape = (track_id.size, seg.NUM_SEGMENTS)
    return _State(
        track_id.copy(), np.full(shape, -np.inf), np.zeros((*shape, 3)), np.zeros((*shape, 3)),
        np.full(shape, _FIRST_NOISE_RAD), np.zeros(shape),
        np.zeros((track_id.size, seg.NUM_PAIRS)), np.zeros(shape, dtype=np.bool_),
    )  # fmt: skip


@dataclass(slots=True)
class _Sight:
    """This frame's segments beside what was expected of them."""

    xyz_m: F64  # (N, J, 3)
    score: F64  # (N, J)
    along: F64  # (N, S, 3)
    length_m: F64  # (N, S)
    known: Bool  # (N, S) now and before
    expected: F64  # (N, S, 3)
    dt_s: F64  # (N, S)
    error_rad: F64  # (N, S)
    bound_rad: F64  # (N, S)

    @property
    def over(self) -> Bool:
        """(N, S) further off than people move."""
        return self.known & (self.error_rad > self.bound_rad)


class OutlierGate:
    """Watches everybody's limbs; owned by one thread."""

    def __init__(self, enabled: bool = True) -> None:
        self._enabled = enabled
        self._t_s = -np.inf
        self._state = _blank(np.zeros(0, dtype=np.int64))

    def configure(self, enabled: bool) -> None:
        """Switch on or off; off forgets everybody."""
        if not enabled:
            self._state = _blank(np.zeros(0, dtype=np.int64))
        self._enabled = enabled

    def apply(self, tracks: Tracks, t_s: float) -> Tracks:
        """The same people with misread limbs corrected; ``tracks`` itself if there are none.

        ``t_s`` are seconds, any origin.
        """
        if not self._enabled:
            return tracks
        if t_s < self._t_s:
            self._state = _blank(np.zeros(0, dtype=np.int64))
        self._t_s = t_s
        if not same(self._state.track_id, tracks.track_id):
            self._state = self._state.take(tracks.track_id)
        if len(tracks) == 0:
            return tracks
        return self._gate(tracks, t_s)

    def _gate(self, tracks: Tracks, t_s: float) -> Tracks:
        state = self._state
        along, length, now = seg.directions(tracks.xyz_world_m, tracks.score, _MIN_SCORE)
        now &= (tracks.state == _TRACKED)[:, None]
        sight = _sight(state, tracks, along, length, now, t_s)
        if not (some(sight.over) or _is_busy(state)):
            state.held_s[:] = 0.0
            if every(sight.known):  # as nearly always
                _learn_all(state, sight, along, t_s)
            else:
                _learn(state, sight, now, along, t_s)
            return tracks
        out = _corrected(state, sight)
        _learn(state, sight, now, out, t_s)
        change = pick(now, (out - sight.along) * sight.length_m[..., None], np.zeros(3))
        return replace(tracks, xyz_world_m=seg.turned(sight.xyz_m, change), score=sight.score)


def _is_busy(state: _State) -> bool:
    """Whether anything is exchanged or on its way back."""
    return some(state.returning) or some(state.swapped_s > 0.0)


def _sight(state: _State, tracks: Tracks, along: F64, length: F64, now: Bool, t_s: float) -> _Sight:
    away_s = t_s - state.seen_s
    known = now & (away_s <= _GAP_S)
    dt_s = np.minimum(away_s, _GAP_S)
    expected, _ = unit(state.along + state.flow * (_DAMPING * dt_s)[..., None])
    noise = np.minimum(state.noise_rad, _MAX_NOISE_RAD)
    bound = _RATE * dt_s + (_SLACK_RAD + _NOISES * noise)
    sight = _Sight(
        tracks.xyz_world_m, tracks.score, along, length, known, expected, dt_s, bound, bound
    )
    sight.error_rad = _error_rad(state, sight, along)
    return sight


def _error_rad(state: _State, sight: _Sight, along: F64) -> F64:
    """(N, S) from the prediction or from the last direction, whichever is nearer."""
    nearer = np.maximum(dot(along, sight.expected), dot(along, state.along))
    return np.asarray(np.arccos(np.minimum(np.maximum(nearer, -1.0), 1.0)))


def _corrected(state: _State, sight: _Sight) -> F64:
    """Directions (N, S, 3) to show; ``sight`` gets exchanged limbs, ``state`` its new timers."""
    state.returning &= sight.known
    sight.xyz_m = seg.without_damage(sight.xyz_m)
    if some(state.swapped_s > 0.0) or some(sight.over[:, seg.LIMBS]):
        _swap(state, sight)
    shown = _hold(state, sight, sight.along)
    return _return(state, sight, shown) if some(state.returning) else shown


def _hold(state: _State, sight: _Sight, shown: F64) -> F64:
    """``shown``, but as predicted for a moment where nothing explains what is measured."""
    strange = sight.over & ~state.returning
    patient = state.held_s + sight.dt_s <= _HOLD_S + _TIME_SLACK_S
    # at low frame rates one frame is longer than that, and still only one frame
    held = strange & (patient | (state.held_s == 0.0))
    state.returning |= strange & ~held
    state.held_s = np.where(held, state.held_s + sight.dt_s, 0.0)
    return pick(held, sight.expected, shown)


def _swap(state: _State, sight: _Sight) -> None:
    """Exchange arms or legs where that explains what is measured."""
    other = _error_rad(state, sight, sight.along[:, seg.OTHER_SIDE])
    known = sight.known & sight.known[:, seg.OTHER_SIDE]
    fits = _by_pair((other <= sight.bound_rad) | ~known).all(axis=-1)
    odd = _by_pair(sight.over & known).any(axis=-1) & fits
    usable = (_by_pair(known).sum(axis=-1) >= 4) & ~_by_pair(state.returning).any(axis=-1)
    exchanged, as_is = (
        _by_pair(np.where(known, e, 0.0)).sum(axis=-1) for e in (other, sight.error_rad)
    )
    better = exchanged < np.where(state.swapped_s > 0.0, 1.0, _FAR_BETTER) * as_is
    wanted = usable & better & (odd | (state.swapped_s > 0.0))
    dt_s = _by_pair(np.where(known, sight.dt_s, 0.0)).max(axis=-1)
    late = wanted & (state.swapped_s + dt_s > _ALTERNATIVE_S)
    state.returning[:, seg.LIMBS] |= np.repeat(late, seg.PAIR_SIZE, axis=1)
    swaps = wanted & ~late
    state.swapped_s = np.where(swaps, state.swapped_s + dt_s, 0.0)
    if some(swaps):
        _exchange(sight, swaps, other)


def _by_pair(values: NDArray[Any]) -> NDArray[Any]:
    """(N, S) as (N, 2, 6): arms, legs."""
    return values[:, seg.LIMBS].reshape(len(values), seg.NUM_PAIRS, seg.PAIR_SIZE)


def _exchange(sight: _Sight, swaps: Bool, other_error_rad: F64) -> None:
    changed = np.zeros(other_error_rad.shape, dtype=np.bool_)
    changed[:, seg.LIMBS] = np.repeat(swaps, seg.PAIR_SIZE, axis=1)
    sight.xyz_m, sight.score = seg.swapped(sight.xyz_m, sight.score, swaps)
    sight.along = pick(changed, sight.along[:, seg.OTHER_SIDE], sight.along)
    sight.length_m = np.where(changed, sight.length_m[:, seg.OTHER_SIDE], sight.length_m)
    sight.known = np.where(changed, sight.known & sight.known[:, seg.OTHER_SIDE], sight.known)
    sight.error_rad = np.where(changed, other_error_rad, sight.error_rad)


def _return(state: _State, sight: _Sight, shown: F64) -> F64:
    """``shown``, but no further than allowed from the last direction where returning."""
    angle = np.arccos(np.clip(dot(shown, state.along), -1.0, 1.0))
    share = np.minimum(1.0, _RETURN_RAD_S * sight.dt_s / np.maximum(angle, 1e-9))
    state.returning &= share < 1.0
    towards = _slerp(state.along, shown, angle, share)
    return pick(state.returning, towards, shown)


def _slerp(a: F64, b: F64, angle_rad: F64, share: F64) -> F64:
    """From unit a to unit b; the way between opposite ones is undefined but finite."""
    sine = np.maximum(np.sin(angle_rad), 1e-6)
    left = np.sin((1.0 - share) * angle_rad) / sine
    right = np.sin(share * angle_rad) / sine
    return unit(left[..., None] * a + right[..., None] * b)[0]


def _flow(state: _State, sight: _Sight, out: F64) -> tuple[F64, F64]:
    """The new velocities (N, S, 3), and the share (N, S) of new noise in the noise."""
    per_s = 1.0 / np.maximum(sight.dt_s, 1e-3)
    flow_share, noise_share = -np.expm1(-sight.dt_s / _LEARN_S)
    moved = (out - state.along) * per_s[..., None]
    return state.flow + flow_share[..., None] * (moved - state.flow), noise_share


def _learn_all(state: _State, sight: _Sight, out: F64, t_s: float) -> None:
    """Remember what was shown, where all of it is what was measured."""
    flow, share = _flow(state, sight, out)
    state.noise_rad = state.noise_rad + share * (sight.error_rad - state.noise_rad)
    state.flow, state.along, state.seen_s = flow, out, np.full(share.shape, t_s)


def _learn(state: _State, sight: _Sight, now: Bool, out: F64, t_s: float) -> None:
    """Remember what was shown."""
    flow, noise_share = _flow(state, sight, out)
    held = state.held_s > 0.0
    odd = held | state.returning | sight.over
    flow = pick(sight.known, pick(held, _DAMPING * state.flow, flow), np.zeros(3))
    share = np.where(sight.known & ~odd, noise_share, 0.0)
    state.noise_rad = state.noise_rad + share * (sight.error_rad - state.noise_rad)
    state.flow = pick(now, flow, state.flow)
    state.along = pick(now, out, state.along)
    state.seen_s = np.where(now, t_s, state.seen_s)
