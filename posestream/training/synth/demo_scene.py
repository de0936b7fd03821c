"""Who plays in the bundled clip, what they wear and what they do. Written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from posestream.arrays import F64
from posestream.training.synth.assets import AssetFolder
from posestream.training.synth.bodies import BodyFactory, express
from posestream.training.synth.figure import Figure, Garment, dress
from posestream.training.synth.gait import Plan
from posestream.training.synth.gestures import Key
from posestream.training.synth.motion import Motion, Script, perform
from posestream.training.synth.rig import Rig, build_rig
from posestream.training.synth.scene import pitched_camera
from posestream.types import Camera

FPS: Final = 30.0
NUM_FRAMES: Final = 420
SIZE_PX: Final = (768, 432)
_SHAFT_M: Final = 0.14
_FACE: Final = {
    "mouthSmileLeft": 0.55, "mouthSmileRight": 0.55, "cheekSquintLeft": 0.3,
    "cheekSquintRight": 0.3, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3, "browInnerUp": 0.4,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A dressed person and what they do."""

    figure: Figure
    rig: Rig
    motion: Motion


def camera() -> Camera:
    """A webcam on a shelf: 64 degrees wide, a little above the chest, tilted down."""
    return pitched_camera(SIZE_PX, 600.0, 1.35, float(np.radians(7.6)))


def cast(assets: AssetFolder, t_s: F64) -> tuple[Actor, Actor]:
    """The two people of the clip over the times ``t_s``."""
    factory = BodyFactory()
    first = dress(
        express(factory.make(gender=0.0, age=0.55, weight=0.5, height=0.43), _FACE),
        "young_lightskinned_male_diffuse2.jpg",
        [
            Garment("clothes/male_casualsuit05/male_casualsuit05", "male_casualsuit05_diffuse.jpg"),
            Garment("clothes/shoes06/shoes06", "shoes06_diffuse.jpg", cut_above_m=_SHAFT_M),
            Garment("hair/short02/short02", "short02_diffuse.webp", "hair"),
            Garment("eyebrows/eyebrow001/eyebrow001", (92, 64, 48)),
        ],
        assets,
    )
    second = dress(
        express(factory.make(gender=1.0, age=0.55, weight=0.45, height=0.5), _FACE),
        "young_lightskinned_female_diffuse2.jpg",
        [
            Garment(
                "clothes/female_casualsuit01/female_casualsuit01",
                "female_sportsuit01_diffuse.jpg", hue_turn=70,
            ),
            Garment("clothes/shoes05/shoes05", "shoes05_diffuse.jpg", cut_above_m=_SHAFT_M),
            Garment("hair/bob02/bob02", "bob02_diffuse.webp", "hair", (0.52, 0.36, 0.24)),
            Garment("eyebrows/eyebrow002/eyebrow002", (110, 78, 58)),
        ],
        assets,
    )  # fmt: skip
    return _actor(first, first_script(), t_s), _actor(second, second_script(), t_s)


def _actor(figure: Figure, script: Script, t_s: F64) -> Actor:
    rig = build_rig(figure.body)
    return Actor(figure, rig, perform(script, rig, figure.sole_m, t_s))


def first_script() -> Script:
    """Waves, walks to the right behind the other, squats, raises the arms."""
    plan = Plan(-0.95, -3.35, 0.15)
    t = plan.walk_to(2.9, 0.95, -3.75)
    plan.turn_to(t, -0.1)
    right = [Key(0.3, 0.7, "wave_in"), *_waves(1.0, 3), Key(2.5, 0.6, "rest")]
    right += [
        Key(7.7, 0.9, "front"),
        Key(9.6, 0.8, "up"),
        Key(11.4, 0.9, "open"),
        Key(12.8, 0.9, "rest"),
    ]
    left = [Key(7.7, 0.9, "front"), Key(9.6, 0.8, "up"), Key(11.4, 0.9, "rest")]
    return Script(
        plan, left, right, crouch=[Key(7.8, 1.0, 0.85), Key(9.2, 0.9, 0.0)], phase=0.4,
        head_yaw=[Key(7.0, 0.5, -0.12)], bend=[Key(10.3, 0.5, 0.18), Key(10.9, 0.6, 0.0)],
    )  # fmt: skip


def second_script() -> Script:
    """Stretches, walks to the left in front of the other, turns round once, waves."""
    plan = Plan(0.95, -3.1, -0.15)
    t = plan.walk_to(3.0, -0.95, -2.95)
    t = plan.turn_to(t, 0.12)
    plan.turn_to(max(t, 7.4), 0.12 + 2.0 * np.pi)
    left = [Key(0.2, 0.9, "side"), Key(1.3, 0.7, "up"), Key(2.3, 0.8, "rest")]
    right = [*left, Key(11.2, 0.6, "hip")]
    left += [Key(11.0, 0.6, "wave_in"), *_waves(11.6, 3), Key(13.2, 0.7, "rest")]
    return Script(plan, left, right, phase=1.9)


def _waves(t_s: float, count: int) -> list[Key]:
    keys: list[Key] = []
    for k in range(count):
        keys.append(Key(t_s + 0.5 * k, 0.25, "wave_out"))
        keys.append(Key(t_s + 0.5 * k + 0.25, 0.25, "wave_in"))
    return keys
