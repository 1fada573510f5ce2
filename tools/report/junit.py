"""A run as JUnit XML, as Jenkins, GitLab and Bazel read it.

A test case is a top-level step of the script. A failure outside of any step, or a run that left
no steps, gets a case with the test's own name.
Format: https://github.com/testmoapp/junitxml describes what its many readers agree on.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from tools.report.events import Output, Run, Step
from tools.report.text import clean, clip

# Of a case's output and of a trace; the whole is in log.html and the serial log.
_TEXT_LIMIT = 20_000


def junit_xml(run: Run, facts: Mapping[str, Any]) -> bytes:
    """The document; `facts` become properties of the suite beside what the run itself knows."""
    failing = run.failing()
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(run, facts).items():
        ElementTree.SubElement(properties, "property", name=clean(name), value=clean(value))
    class_name = run.name.removeprefix("//").replace("/", ".").replace(":", ".")
    names: Counter[str] = Counter()
    for step in run.root.steps:
        name = " ".join(filter(None, (step.title or step.what, step.machine if len(run.machines) > 1 else "")))
        names[name] += 1
        # Readers take two cases of one name for the same.
        name = f"{name} ({names[name]})" if names[name] > 1 else name
        case = _case(suite, class_name, name, step.seconds)
        if step in failing:
            _fail(case, run, failing)
    if not failing and (not run.passed or not run.root.steps):
        case = _case(suite, class_name, run.name, run.root.seconds)
        if not run.passed:
            _fail(case, run, [])
    cases = suite.findall("testcase")
    count = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": "0",
        "time": f"{run.root.seconds:.3f}",
    }
    suites.attrib |= {"name": clean(run.name)} | count
    suite.attrib |= {"name": clean(run.name)} | count
    if run.date:
        # The readers' schema has no time zone here.
        suite.set("timestamp", clean(run.date).removesuffix("Z"))
    ElementTree.indent(suites)
    document: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _properties(run: Run, facts: Mapping[str, Any]) -> dict[str, str]:
    properties = {f"kernel.{name}": release for name, release in run.machines.items()}
    properties |= {"accel": run.accel, "accel_reason": run.accel_reason}
    boot = run.boot_seconds()
    if boot is not None:
        properties["boot_seconds"] = f"{boot:.3f}"
    return properties | {name: str(value) for name, value in facts.items() if value is not None}


def _case(suite: ElementTree.Element, class_name: str, name: str, seconds: float) -> ElementTree.Element:
    attributes = {"classname": clean(class_name), "name": clean(name), "time": f"{seconds:.3f}"}
    return ElementTree.SubElement(suite, "testcase", attributes)


def _fail(case: ElementTree.Element, run: Run, failing: list[Step]) -> None:
    kind = clean(run.kind_of_failure or "failed")
    failure = ElementTree.SubElement(case, "failure", message=clean(run.reason), type=kind)
    failure.text = _clipped(_account(run, failing))


def _account(run: Run, failing: list[Step]) -> str:
    """The reason, where it happened, what was printed, the kernel's trace."""
    parts = [run.reason] + ([run.place] if run.place else [])
    if failing:
        step = failing[-1]
        parts.append("in step: " + " > ".join(inner.title or inner.what for inner in failing))
        parts += [text for text in (step.message, step.details) if text and text != run.reason]
        parts += [item.text for item in step.items if isinstance(item, Output)]
    if run.trace:
        parts.append("\n".join(run.trace))
    return "\n\n".join(clean(part).strip("\n") for part in parts)


def _clipped(text: str) -> str:
    head, left_out, tail = clip(text, _TEXT_LIMIT)
    return f"{head}\n[{left_out:,} characters left out]\n{tail}" if left_out else head
