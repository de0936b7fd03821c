"""``posestream bench``: speed of our chain beside rivals, all in one run on the same pictures.

Rivals and what they do per frame: ``mediapipe-single`` is ``mp.solutions.pose`` (one person,
2D and root-relative 3D), ``mediapipe-tasks`` is the Tasks PoseLandmarker for several people.
Neither places people in metres, keeps identities, retargets or sends anything; our chain
does, and is timed whole: estimate … ground, and the bytes for VMC and WebSocket;
``posestream-rrmp`` is the same with our own network, where its weights can be run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from posestream.assets import DEMO_CLIP
from posestream.errors import CaptureError
from posestream.estimate.registry import available
from posestream.evaluation.bench_chain import Chain, frames_of, machine, timed
from posestream.evaluation.bench_overlap import as_lines as overlap_lines
from posestream.evaluation.bench_overlap import bench_overlap
from posestream.evaluation.bench_start import bench_start
from posestream.evaluation.rivals import rivals
from posestream.types import Frame

Part = Literal["chain", "motion", "clients", "presets", "scaling", "overlap", "start"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
"""What a run without any choice does, in this order."""

_MOTION_SOURCE = "synthetic:people=4,seconds=20,width=320,height=180"


def bench(sources: Sequence[str], *, parts: Iterable[str] = (), as_json: bool) -> int:
    """Run the chosen parts, or all of them, and print their figures."""
    wanted = {*parts} or {*PARTS}
    result: dict[str, Any] = {"machine": machine()}
    if "chain" in wanted:
        result["chain"] = [bench_chain(source) for source in sources or [str(DEMO_CLIP)]]
    if "motion" in wanted:
        folders = [source for source in sources if Path(source).is_dir()]
        result["motion"] = bench_motion()
        if folders:
            result["motion_figures"] = {folder: bench_figures(folder) for folder in folders}
    if "clients" in wanted:
        result["clients"] = bench_clients()
    if wanted & {"presets", "scaling"}:
        result |= _scaling(wanted)
    if "overlap" in wanted:
        result["overlap"] = bench_overlap()
    if "start" in wanted:
        result["start"] = bench_start()
    print(json.dumps(result, indent=2) if as_json else _as_text(result))
    return 0


def _scaling(wanted: set[str]) -> dict[str, Any]:
    from posestream.evaluation import bench_scaling as by

    result: dict[str, Any] = {}
    if "presets" in wanted:
        result["presets"] = by.bench_presets()
    if "scaling" in wanted:
        result["people"] = by.bench_people()
        result["resolution"] = by.bench_resolution()
        result["threads"] = by.bench_threads()
        result["by_clients"] = by.bench_by_clients()
    return result


def bench_chain(source: str) -> dict[str, Any]:
    """Our chain on one source, then each rival on the same pictures."""
    frames = frames_of(source)
    runs = {"posestream": timed(frames, Chain("mediapipe"))}
    if any(item.name == "rrmp" and item.ok for item in available()):
        runs["posestream-rrmp"] = timed(frames, Chain("rrmp"))
    for name, estimate in rivals():
        runs[name] = timed(frames, estimate)
    ours = runs["posestream"]["fps"]
    ratios = {f"vs {name}": round(ours / run["fps"], 2) for name, run in runs.items()}
    del ratios["vs posestream"]
    return {
        "source": Path(source).name,
        "frames": len(frames),
        "size_px": list(frames[0].camera.size_px),
        "runs": runs,
        "speed_ratio": ratios,
    }


def bench_motion() -> dict[str, Any]:
    """Everything that follows the network, for four people whose exact joints are given.

    Their distances, too; or, as with a back end that learns none, geometry must find them.
    """
    frames = frames_of(_MOTION_SOURCE)
    run = timed(frames, Chain("fake"))
    placed = timed([_without_distances(frame) for frame in frames], Chain("fake"))
    for figures in (run, placed):
        del figures["fps"]
    return {"source": _MOTION_SOURCE, "frames": len(frames), **run, "by_geometry": placed}


def _without_distances(frame: Frame) -> Frame:
    assert frame.truth is not None
    return replace(frame, truth=replace(frame.truth, root_cam_m=None))


def bench_figures(folder: str) -> dict[str, dict[str, float]]:
    """How well motion capture in a folder's BVH files survives MediaPipe's errors, by row."""
    from posestream.evaluation import lag, motion
    from posestream.evaluation.noise import measure

    clips = lag.clips(Path(folder), measure("mediapipe"))
    if not clips:
        raise CaptureError(f"{folder} holds no BVH file of two seconds or more.")
    truth = [motion.exact_motion(clip) for clip in clips]
    return motion.measured(clips, truth, motion.rows_of_ours())


def bench_clients() -> dict[str, Any]:
    """100 WebSocket clients in a process of their own, 60 frames a second of two people."""
    from posestream.publish import load

    return asdict(asyncio.run(load.measure(clients=100, rate_hz=60, people=2, seconds=10)))


def _figures(figures: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.2f}" for key, value in figures.items())


def _as_text(result: dict[str, Any]) -> str:
    lines = [f"{result['machine']['cpu_cores']} cores, Python {result['machine']['python']}"]
    for chain in result.get("chain", ()):
        lines.append(f"\n{chain['source']}: {chain['frames']} frames, {chain['size_px']} px")
        for name, run in chain["runs"].items():
            lines.append(_row(name, run))
        lines += _stages(chain["runs"]["posestream"])
        lines.append(f"  speed {chain['speed_ratio']}")
    if "motion" in result:
        lines += _motion("distances given", result["motion"])
        lines += _motion("distances by geometry", result["motion"]["by_geometry"])
    for folder, rows in result.get("motion_figures", {}).items():
        lines.append(f"\n{folder} with the errors of MediaPipe")
        lines += [f"  {name:20s} {_figures(figures)}" for name, figures in rows.items()]
    if "clients" in result:
        lines += _clients(result["clients"])
    if "start" in result:
        lines.append(f"\nstart to first packet {result['start']['median_s']:.2f} s")
    from posestream.evaluation.bench_scaling import as_lines

    lines += [*as_lines(result), *overlap_lines(result)]
    return "\n".join(lines)


def _row(name: str, run: dict[str, Any]) -> str:
    ms = run["frame_ms"]
    fps = f"{run['fps']:7.1f} fps  " if "fps" in run else ""
    return (
        f"  {name:18s} {fps}p50 {ms['p50']:7.2f}  p95 {ms['p95']:7.2f}  p99 {ms['p99']:7.2f} ms"
        f"  CPU {run['cpu_ms_per_frame']:6.1f} ms  {run['people_mean']:.2f} people"
    )


def _motion(how: str, run: dict[str, Any]) -> list[str]:
    title = f"\neverything after the network, 4 people, {how}"
    return [title, _row("per frame", run), *_stages(run)]


def _clients(run: dict[str, Any]) -> list[str]:
    ms, lost = run["latency_ms"], run["lost"]
    return [
        f"\n{run['clients']} WebSocket clients at {run['rate_hz']} Hz, {run['people']} people, "
        f"{run['seconds']:g} s: {run['received']} messages received, {lost} lost",
        f"  encode to receipt  p50 {ms['p50']:7.2f}  p95 {ms['p95']:7.2f}  p99 {ms['p99']:7.2f} ms"
        f"  CPU of the server {run['server_cpu']:.0%} of a core",
    ]


def _stages(run: dict[str, Any]) -> list[str]:
    return [
        f"    {name:16s} p50 {ms['p50']:7.3f}  p95 {ms['p95']:7.3f}  p99 {ms['p99']:7.3f} ms"
        f"  {run['stage_share'][name]:6.1%}"
        for name, ms in run["stage_ms"].items()
    ]
