"""The command-line words that every tool that writes a layer has in common."""

import argparse
from pathlib import Path

from tools.containers.layer import MEDIA_TYPES, Outputs


def add_layer_options(parser: argparse.ArgumentParser) -> None:
    """Declare the words; `containers/private/layer_files.bzl` gives them."""
    parser.add_argument("--name", required=True, help="what messages call the layer")
    parser.add_argument("--blob", type=Path, required=True)
    parser.add_argument("--metadata", type=Path, required=True)
    parser.add_argument("--contents", type=Path, required=True)
    parser.add_argument("--compression", choices=sorted(MEDIA_TYPES), default="gzip")
    parser.add_argument("--runtime", type=Path, required=True, help="the tool runtime's folder")


def layer_outputs(options: argparse.Namespace) -> Outputs:
    """Where the three files go."""
    return Outputs(options.blob, options.metadata, options.contents)


def zstd_program(options: argparse.Namespace) -> Path:
    """The compressor of the tool runtime."""
    return Path(options.runtime, "bin/zstd")
