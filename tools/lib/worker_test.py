"""What a worker answers."""

import json
from collections.abc import Mapping, Sequence
from io import StringIO

from tools.lib.worker import serve


def test_each_request_has_its_answer() -> None:
    seen = []

    def handle(arguments: Sequence[str], digests: Mapping[str, str]) -> tuple[int, str]:
        seen.append((list(arguments), dict(digests)))
        return len(seen) - 1, "said\n" * (len(seen) - 1)

    first = {"arguments": ["a"], "inputs": [{"path": "x", "digest": "d"}], "requestId": 0}
    second = {"arguments": ["b", "c"], "requestId": 7}
    answers = StringIO()
    serve(handle, StringIO(f"{json.dumps(first)}\n{json.dumps(second)}\n"), answers)
    assert seen == [(["a"], {"x": "d"}), (["b", "c"], {})]
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        {"exitCode": 0, "output": "", "requestId": 0},
        {"exitCode": 1, "output": "said\n", "requestId": 7},
    ]
