"""The command line. Heavy modules are imported by the command that needs them.

Exit codes: 0 done or stopped by the user; 2 configuration or usage; 3 camera or video;
4 back end; 5 network port or address; 6 avatar file; 7 recording; 1 any other failure;
130 stopped at once by a second Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from posestream import __version__
from posestream.calibrate.commands import add_calibrate
from posestream.daemon import logs
from posestream.errors import PosestreamError
from posestream.evaluation.commands import add_evaluate
from posestream.evaluation.export_command import add_export
from posestream.training.commands import add_train
from posestream.training.real.commands import add_pack
from posestream.training.synth.commands import add_synth

EPILOG = """exit codes: 0 done or stopped by you · 1 failure · 2 configuration or usage ·
3 camera or video · 4 back end · 5 network port or address · 6 avatar file · 7 recording ·
130 second Ctrl-C"""

SOURCE_HELP = (
    "camera:0, camera:NAME, a video file, an rtsp:// or http:// stream, images:FOLDER, "
    "synthetic:, or replay:FILE; default: the first camera, else the bundled clip"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _print_whatever_the_encoding()
    _keep_blas_to_one_thread()
    arguments = _parser().parse_args(argv)
    logs.set_up(arguments.verbose, getattr(arguments, "log_format", "text"))
    try:
        return int(arguments.command(arguments))
    except PosestreamError as error:
        _say(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


def _say(error: PosestreamError) -> None:
    if logs.as_json():
        logs.NOTICES.error("%s", error, extra={"figures": {"exit_code": error.exit_code}})
    else:
        print(f"posestream: {error}", file=sys.stderr)


def _print_whatever_the_encoding() -> None:
    """Output to a file or pipe has the system's own encoding, which may lack a dot or a dash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _keep_blas_to_one_thread() -> None:
    """Must come before numpy: its OpenBLAS would start threads that hardly help with arrays as
    small as ours, but spin for 20 ms after each product, which takes a core all the time."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="posestream",
        description="One ordinary camera in, every person's avatar out, live.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"posestream {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_process(commands)
    add_calibrate(commands)
    _add_doctor(commands)
    _add_bench(commands)
    add_evaluate(commands)
    add_export(commands)
    add_pack(commands)
    add_train(commands)
    add_synth(commands)
    _add_config(commands)
    _add_avatar(commands)
    return parser


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", metavar="FILE", help="TOML file or preset name")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one setting, such as smooth.smoothness=0.3; may be repeated",
    )
    parser.add_argument(
        "--backend", metavar="NAME", help="auto (default), mediapipe, rrmp, torch or fake"
    )
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="json: an object per line"
    )
    _add_verbose(parser)


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-v", "--verbose", action="count", default=0, help="logs; -vv: more")


def _add_run(commands: Commands) -> None:
    parser = commands.add_parser("run", help="the daemon: camera or video to avatars, live")
    parser.add_argument("source", nargs="?", metavar="SOURCE", help=SOURCE_HELP)
    _add_common(parser)
    parser.add_argument("--avatar", metavar="FILE", help="VRM, glTF or BVH: send for its rest pose")
    parser.add_argument("--pace", choices=("realtime", "fast"), help="of files (default realtime)")
    parser.add_argument("--max-frames", type=_positive, metavar="N", help="stop after N frames")
    parser.add_argument("--summary", metavar="FILE", help="write figures of the run as JSON")
    parser.add_argument("--record", metavar="FILE", help="record what is sent to a .psrec file")
    parser.add_argument(
        "--cpu-budget", metavar="SHARE", help="of the cores, such as 0.5: leave the rest to others"
    )
    parser.add_argument(
        "--trace", metavar="FILE", help="write a timeline of the last minutes for Perfetto"
    )
    parser.add_argument("--no-panel", action="store_true", help="serve no panel in the browser")
    parser.set_defaults(command=_run)


def _add_process(commands: Commands) -> None:
    parser = commands.add_parser(
        "process", help="videos and recordings to motion files, every frame"
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="videos, images:FOLDER or replay:FILE"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument(
        "--formats", "--format", default="jsonl", metavar="LIST",
        help="jsonl (default), bvh, glb, vrma; several with commas between them",
    )  # fmt: skip
    parser.add_argument(
        "--avatar", metavar="FILE", help="VRM, GLB or BVH: BVH and GLB files are written for it"
    )
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="processes for several videos (Dask)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask cluster's scheduler, such as tcp://host:8786"
    )
    _add_common(parser)
    parser.set_defaults(command=_process)


def _add_doctor(commands: Commands) -> None:
    parser = commands.add_parser("doctor", help="can the main job run here? if not, why")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-c", "--config", metavar="FILE", help="check the ports of this file")
    _add_verbose(parser)
    parser.set_defaults(command=_doctor)


def _add_bench(commands: Commands) -> None:
    parser = commands.add_parser("bench", help="latency and throughput, beside rivals")
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="default: the bundled clip")
    parser.add_argument("--motion", action="store_true", help="only what follows the network")
    parser.add_argument("--clients", action="store_true", help="only the WebSocket fan-out")
    parser.add_argument("--presets", action="store_true", help="only the presets that ship")
    parser.add_argument(
        "--scaling", action="store_true", help="only by people, resolution, threads and clients"
    )
    parser.add_argument("--overlap", action="store_true", help="only estimate.overlap on and off")
    parser.add_argument("--start", action="store_true", help="only from command to first packet")
    parser.add_argument(
        "--networks", action="store_true", help="only our networks (needs the train extra)"
    )
    parser.add_argument("--json", action="store_true")
    _add_verbose(parser)
    parser.set_defaults(command=_bench)


def _add_config(commands: Commands) -> None:
    parser = commands.add_parser("config", help="every setting with its default and meaning")
    parser.add_argument("-c", "--config", metavar="FILE", help="check this file or preset")
    _add_verbose(parser)
    parser.set_defaults(command=_config)


def _add_avatar(commands: Commands) -> None:
    parser = commands.add_parser("avatar", help="which bones are found in an avatar, and how")
    parser.add_argument("file", metavar="FILE", help="VRM, GLB, glTF or BVH")
    parser.add_argument("--json", action="store_true")
    _add_verbose(parser)
    parser.set_defaults(command=_avatar)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    # Libraries turn an interrupted import into errors of their own; nothing needs closing yet.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from posestream.daemon.main import RunOptions, run

    return run(
        RunOptions(
            source=arguments.source,
            config=arguments.config,
            overrides=tuple(_overrides(arguments)),
            avatar=arguments.avatar,
            max_frames=arguments.max_frames,
            summary=arguments.summary,
            record=arguments.record,
            trace=arguments.trace,
            panel=not arguments.no_panel,
        )
    )


def _overrides(arguments: argparse.Namespace) -> list[str]:
    overrides = list(arguments.set)
    if arguments.backend is not None:
        overrides.append(f'estimate.backend="{arguments.backend}"')
    if getattr(arguments, "cpu_budget", None) is not None:
        overrides.append(f"cpu.budget={arguments.cpu_budget}")
    if getattr(arguments, "pace", None) is not None:
        overrides.append(f'source.pace="{arguments.pace}"')
    return overrides


def _for_avatar(arguments: argparse.Namespace) -> list[str]:
    return [] if arguments.avatar is None else [f"avatar.file={arguments.avatar}"]


def _process(arguments: argparse.Namespace) -> int:
    from posestream.daemon.offline import Where, process

    formats = [name.strip() for name in arguments.formats.split(",")]
    return process(
        arguments.sources,
        arguments.out,
        formats,
        arguments.config,
        [*_overrides(arguments), *_for_avatar(arguments)],
        Where(arguments.workers, arguments.scheduler),
    )


def _doctor(arguments: argparse.Namespace) -> int:
    from posestream.daemon.doctor import doctor

    return doctor(arguments.config, as_json=arguments.json)


def _bench(arguments: argparse.Namespace) -> int:
    if arguments.networks:
        from posestream.training.bench_command import bench_networks

        return bench_networks(as_json=arguments.json)
    from posestream.evaluation.bench import PARTS, bench

    parts = [part for part in PARTS if getattr(arguments, part, False)]
    return bench(arguments.sources, parts=parts, as_json=arguments.json)


def _config(arguments: argparse.Namespace) -> int:
    from posestream import config

    if arguments.config is not None:
        config.load(arguments.config)
        print(f"{arguments.config} is valid.")
        return 0
    for key, kind, default, text in config.describe():
        print(f"{key} = {default!r}  ({kind})\n    {text}")
    return 0


def _avatar(arguments: argparse.Namespace) -> int:
    from posestream.skeleton.rig_report import report

    found = report(arguments.file)
    print(json.dumps(found.as_dict(), indent=2) if arguments.json else found.as_text())
    return 0
