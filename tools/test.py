"""Every check and test: python3 tools/test.py [--only PART] [PYTEST ARGUMENTS].

PART is fast, networks, unity, browser or slow.

The last line is ``N passed, N failed, N skipped``; each static check counts as one test.
Exit code 0 only if something ran and nothing failed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tools import pythons

MARKS = {
    "fast": "not slow and not unity and not browser and not networks",
    "networks": "networks",
    "unity": "unity",
    "browser": "browser",
    "slow": "slow",
}
NOTHING_COLLECTED = 5


def main(arguments: "list[str]") -> int:
    """Install what is missing, run what is wanted, print the sums."""
    from tools import browser_packages, check, environment, system_packages

    options, pytest_arguments = _parser().parse_known_args(arguments)
    try:
        environment.ensure(environment.Environment(), environment.TEST)
    except environment.InstallError as error:
        sys.exit(f"posestream: {error}")
    if options.only in (None, "unity") and not pytest_arguments:
        system_packages.ensure_mono()
    if options.only in (None, "browser") and not pytest_arguments:
        system_packages.ensure_chromium()
        browser_packages.ensure()
    static = check.check_all() if options.only in (None, "fast") and not pytest_arguments else []
    tests = run_pytest(MARKS.get(options.only, ""), pytest_arguments)
    passed, failed = tests["passed"] + sum(static), tests["failed"] + static.count(False)
    if passed + failed == 0:
        print(f"No test is there to run (--only {options.only}).")
    print(f"{passed} passed, {failed} failed, {tests['skipped']} skipped", flush=True)
    return 0 if passed and not failed else 1


def run_pytest(marks: str, arguments: "list[str]") -> "dict[str, int]":
    """How many tests passed, failed and were skipped."""
    from tools import environment

    place = environment.Environment()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = environment.command(place, "pytest", "-q", "--no-header", f"--junitxml={report}")
        command += [*(["-m", marks] if marks else []), *arguments]
        code = subprocess.run(command, cwd=environment.ROOT).returncode
        return sums(report, code)


def sums(report: Path, code: int) -> "dict[str, int]":
    """The counts in pytest's XML report; a pytest that failed otherwise counts as one failure."""
    from xml.etree import ElementTree

    passed = failed = skipped = 0
    if report.is_file():
        for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314
            kinds = {child.tag for child in case}
            failed += bool(kinds & {"failure", "error"})
            skipped += "skipped" in kinds
            passed += not kinds & {"failure", "error", "skipped"}
    if code not in (0, NOTHING_COLLECTED) and not failed:
        failed = 1
    return {"passed": passed, "failed": failed, "skipped": skipped}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/test.py", description=__doc__, allow_abbrev=False, add_help=True
    )
    parser.add_argument("--only", choices=tuple(MARKS), help="one part; default: everything")
    return parser


if __name__ == "__main__":
    pythons.use_supported(__file__)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
