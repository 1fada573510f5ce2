"""write_reports: what a person and what a CI server read about one run."""

import json
from pathlib import Path
from typing import Any

from tools.lib.files import write_atomically
from tools.report.events import read_run
from tools.report.junit import junit_xml
from tools.report.log_page import log_html


def write_reports(events: Path, out: Path) -> None:
    """Write log.html and junit.xml into the folder `out`.

    The facts of `out`/result.json, if the driver has written it, stand in both.
    Raises UserError if the events can't be read or the files can't be written.
    """
    run = read_run(events)
    facts = _facts(out / "result.json")
    write_atomically(out / "log.html", log_html(run, facts))
    write_atomically(out / "junit.xml", junit_xml(run, facts))


def _facts(result: Path) -> dict[str, Any]:
    try:
        content = json.loads(result.read_text())
    except (OSError, ValueError):
        return {}
    facts = content.get("facts") if isinstance(content, dict) else None
    return facts if isinstance(facts, dict) else {}
