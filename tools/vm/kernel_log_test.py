"""What may be in the kernel's log after a test."""

import pytest

from tools.vm.kernel_log import problems, taint_flags

BOOT = """<4>[    0.100000] MDS: a processor's fault
<6>[    1.000000] Run /init as init process
"""


@pytest.mark.parametrize(
    ("bits", "flags"), [(0, ""), (1, "P"), (1 << 12 | 1 << 13, "OE"), (1 << 9, "W"), (1 << 7, "D"), (1 << 40, "?")]
)
def test_taint_is_letters(bits: int, flags: str) -> None:
    assert taint_flags(bits) == flags


def test_a_quiet_log_is_in_order() -> None:
    text = BOOT + "<6>[    2.000000] hello\n<5>[    2.000001][    T1] notice\n"
    assert problems(0, text, "") == []


def test_what_comes_before_init_is_not_the_test_s() -> None:
    assert problems(0, BOOT, "") == []


def test_warnings_and_worse_are_told() -> None:
    text = BOOT + "<4>[    2.000000] careful\n<3>[    2.000001][   T12] wrong\n<12>[    2.000002] from a program\n"
    assert problems(0, text, "") == ["warning: careful", "error: wrong", "warning: from a program"]


def test_a_second_line_of_a_message_is_no_message() -> None:
    assert problems(0, BOOT + "<6>[    2.000000] one\n<two>\n", "") == []


def test_what_the_kernel_says_of_expected_taints_is_expected() -> None:
    text = BOOT + (
        "<4>[    2.000000] vrouter: loading out-of-tree module taints kernel.\n"
        "<4>[    2.000001] vrouter: module verification failed: signature and/or required key missing - tainting\n"
    )
    assert problems(1 << 12 | 1 << 13, text, "OE") == []
    assert problems(1 << 12, text, "") == [
        "the kernel is tainted O, expected nothing",
        "warning: vrouter: loading out-of-tree module taints kernel.",
        "warning: vrouter: module verification failed: signature and/or required key missing - tainting",
    ]


def test_only_these_taints_are_expected() -> None:
    assert problems(1 << 9 | 1 << 12, BOOT, "OE") == ["the kernel is tainted W, expected OE"]


def test_known_messages_are_passed_over_as_wholes() -> None:
    text = BOOT + "<4>[    2.000000] vr: table full\n<4>[    2.000001] vr: table full of eels\n"
    assert problems(0, text, "", known="vr: table full") == ["warning: vr: table full of eels"]
