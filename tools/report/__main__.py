"""Write log.html and junit.xml of the events of one VM test."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tools.lib.cli import run
from tools.report import write_reports


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    parser.add_argument("events", type=Path, help="the driver's events.jsonl")
    parser.add_argument("out", type=Path, help="the folder for log.html and junit.xml")
    options = parser.parse_args(arguments)
    write_reports(options.events, options.out)
    return 0


if __name__ == "__main__":
    run(main)
