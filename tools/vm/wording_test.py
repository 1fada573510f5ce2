"""What is shown of long texts."""

from tools.vm.wording import bounded, parameter, short


def test_a_command_is_one_line() -> None:
    assert short("  true ") == "true"
    assert short("one\ntwo") == "one..."
    assert short("x" * 121) == "x" * 120 + "..."


def test_a_long_output_keeps_both_ends() -> None:
    text = "a" * 40_000 + "b" * 40_000
    kept = bounded(text)
    assert kept.startswith("a" * 32_768 + "\n... 14464 characters left out ...\n")
    assert kept.endswith("b" * 32_768)
    assert bounded("short") == "short"


def test_truth_is_a_letter() -> None:
    assert [parameter(value) for value in (True, False, 3, "x")] == ["Y", "N", "3", "x"]
