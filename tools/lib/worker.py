"""Bazel's persistent workers: one process that answers many actions, by JSON on its standard input and output.

The protocol: https://bazel.build/remote/creating (newline-delimited WorkRequest and WorkResponse messages).
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

FLAG = "--persistent_worker"


def serve(
    handle: Callable[[Sequence[str], Mapping[str, str]], tuple[int, str]],
    requests: TextIO = sys.stdin,
    responses: TextIO = sys.stdout,
) -> None:
    """Answer requests until Bazel closes the input.

    `handle` gets an action's arguments and the digest of each input by its path, and returns an exit code and
    what Bazel is to print.
    """
    for line in requests:
        request = json.loads(line)
        digests = {each["path"]: each.get("digest", "") for each in request.get("inputs", [])}
        code, text = handle(request.get("arguments", []), digests)
        answer = {"exitCode": code, "output": text, "requestId": request.get("requestId", 0)}
        responses.write(json.dumps(answer) + "\n")
        responses.flush()
