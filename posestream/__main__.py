"""``python -m posestream`` is the ``posestream`` command."""

import sys

from posestream.cli import main

if __name__ == "__main__":  # worker processes import this file, too
    sys.exit(main())
