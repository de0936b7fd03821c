"""Settings of the smoothing stage: one knob for users, overrides for those who measure."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np

from posestream.arrays import F64
from posestream.smooth.one_euro import OneEuro

_Cutoff = Annotated[
    float, msgspec.Meta(ge=0.01, le=100.0, description="Cut-off at rest, Hz; replaces the knob.")
]
_Beta = Annotated[
    float,
    msgspec.Meta(ge=0.0, le=100.0, description="Cut-off gained with speed; replaces the knob."),
]

_KNOB: Final = np.array([0.0, 0.5, 1.0])
# At the knob's marks: just above 0, 0.5 and 1. Between them in proportion.
_ROOT_CUTOFF_HZ: Final = np.array([4.0, 0.3, 0.1])
_ROOT_BETA: Final = np.array([12.0, 4.0, 1.2])
_ROTATION_CUTOFF_HZ: Final = np.array([4.0, 0.06, 0.02])
_ROTATION_BETA: Final = np.array([15.0, 3.0, 1.0])
_ROOT_QUIET: Final = 0.1
_ROTATION_QUIET: Final = 1.2
_ROTATION_RATE_HZ: Final = 5.0
_MOST_LATENCY_S: Final = 0.06


class SmoothingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How motion is calmed and how much of the latency is hidden."""

    smoothness: Annotated[
        float,
        msgspec.Meta(
            ge=0.0,
            le=1.0,
            description="0: raw and immediate, nothing predicted … 1: very smooth, slower.",
        ),
    ] = 0.5
    predict_ms: Annotated[
        float,
        msgspec.Meta(ge=0.0, le=200.0, description="Motion is predicted so far ahead; 0: off."),
    ] = 0.0
    predict_latency: Annotated[
        bool,
        msgspec.Meta(
            description="Live: predict the measured delay since the picture, too, up to 60 ms."
        ),
    ] = False
    outliers: Annotated[
        bool,
        msgspec.Meta(description="Hold back limbs that turn faster than people can."),
    ] = True
    root_cutoff_hz: _Cutoff | None = None
    root_beta: _Beta | None = None
    rotation_cutoff_hz: _Cutoff | None = None
    rotation_beta: _Beta | None = None

    @property
    def off(self) -> bool:
        """True if nothing is to be changed at all."""
        return self.smoothness == 0.0

    @property
    def gates(self) -> bool:
        """True if limbs that turn too fast are held back before all else."""
        return self.outliers and not self.off

    @property
    def predict_s(self) -> float:
        """Prediction in seconds."""
        return 0.0 if self.off else self.predict_ms * 1e-3

    def ahead_s(self, latency_s: float) -> float:
        """Prediction in seconds where pictures are shown ``latency_s`` after they were taken."""
        measured = min(max(latency_s, 0.0), _MOST_LATENCY_S) if self.predict_latency else 0.0
        return 0.0 if self.off else self.predict_s + measured

    def root_filter(self) -> OneEuro:
        """The filter of root positions."""
        return OneEuro(
            _or_knob(self.root_cutoff_hz, self.smoothness, _ROOT_CUTOFF_HZ),
            _or_knob(self.root_beta, self.smoothness, _ROOT_BETA),
            _ROOT_QUIET,
        )

    def rotation_filter(self) -> OneEuro:
        """The filter of rotations."""
        return OneEuro(
            _or_knob(self.rotation_cutoff_hz, self.smoothness, _ROTATION_CUTOFF_HZ),
            _or_knob(self.rotation_beta, self.smoothness, _ROTATION_BETA),
            _ROTATION_QUIET,
            _ROTATION_RATE_HZ,
            steady=True,
        )


def _or_knob(override: float | None, smoothness: float, marks: F64) -> float:
    if override is not None:
        return override
    return float(np.exp(np.interp(smoothness, _KNOB, np.log(marks))))
