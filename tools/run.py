"""Start posestream: python3 tools/run.py [ARGUMENTS OF posestream run]. Installs on first use.

Another command of posestream may stand first: python3 tools/run.py doctor
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools import pythons

COMMANDS = (
    "run", "process", "calibrate", "doctor", "bench", "evaluate", "config", "avatar",
    "pack", "synth", "train", "export",
)  # fmt: skip
GENERAL = ("-h", "--help", "--version")


def main(arguments: "list[str]") -> None:
    """Make the environment ready and become posestream. Does not return."""
    from tools import environment

    place = environment.Environment()
    try:
        environment.ensure(place, environment.RUN)
    except environment.InstallError as error:
        sys.exit("posestream: " + str(error))
    except KeyboardInterrupt:
        sys.stderr.write("\nposestream: stopped while setting up; start again to go on.\n")
        sys.exit(130)
    command = environment.command(place, "posestream", *with_command(arguments))
    pythons.replace_process(command, os.name == "nt")


def with_command(arguments: "list[str]") -> "list[str]":
    """The arguments for posestream: ``run`` is meant where no command stands first."""
    if arguments and arguments[0] in COMMANDS + GENERAL:
        return arguments
    return ["run", *arguments]


if __name__ == "__main__":
    pythons.use_supported(__file__)
    main(sys.argv[1:])
