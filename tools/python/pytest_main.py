"""Run pytest over the files of one Bazel test, with JUnit XML where Bazel wants it."""

import os
import sys

import pytest


def main() -> int:
    """Run the test files named in the arguments; a run without any test fails (exit code 5)."""
    options = ["-p", "no:cacheprovider", "-q", "--rootdir=.", "--import-mode=importlib"]
    if report := os.environ.get("XML_OUTPUT_FILE"):
        options.append(f"--junit-xml={report}")
    if chosen := os.environ.get("TESTBRIDGE_TEST_ONLY"):
        options.append(f"-k={chosen}")
    return int(pytest.main([*options, *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
