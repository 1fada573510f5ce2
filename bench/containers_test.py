"""The parts of bench/containers that build nothing."""

import json
from pathlib import Path

import pytest

from bench.containers import executed
from bench.image_baseline import BUILDERS, commands
from tools.lib.errors import UserError


def test_executed(tmp_path: Path) -> None:
    events = tmp_path / "events.json"
    actions = [
        {"mnemonic": "FilesLayer", "actionsExecuted": "1"},
        {"mnemonic": "ContainerImage", "actionsExecuted": "1"},
    ]
    events.write_text(
        f'{{"started": {{}}}}\n{json.dumps({"buildMetrics": {"actionSummary": {"actionData": actions}}})}\n'
    )
    assert executed(events) == {"FilesLayer": 1, "ContainerImage": 1}
    events.write_text('{"started": {}}\n')
    with pytest.raises(UserError, match="no metrics"):
        executed(events)


@pytest.mark.parametrize("builder", BUILDERS)
def test_commands(builder: str) -> None:
    text = commands(builder, {"entrypoint": ["/bin/a", "-b"]})
    assert builder in text and "/forge/tree" in text and "-b" in text
