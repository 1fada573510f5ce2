import pytest

from tools.kernels.vermagic import vermagic
from tools.lib.errors import UserError

# The conditions of include/linux/vermagic.h on "preempt", line by line.
PREEMPT = {
    "5.10": ("ifdef CONFIG_PREEMPT", '"preempt "', "elif defined(CONFIG_PREEMPT_RT)", '"preempt_rt "'),
    "6.12": ("ifdef CONFIG_PREEMPT_BUILD", '"preempt "', "elif defined(CONFIG_PREEMPT_RT)", '"preempt_rt "'),
    "7.3": ("ifdef CONFIG_PREEMPT_RT", '"preempt_rt "', "elif defined(CONFIG_PREEMPT_BUILD)", '"preempt "'),
}
ARCH = """
#ifdef CONFIG_X86_64
/* X86_64 does not define
   MODULE_PROC_FAMILY */
#elif defined CONFIG_M486
#define MODULE_PROC_FAMILY "486 "
#else
#error unknown processor family
#endif
#ifdef CONFIG_X86_32
# define MODULE_ARCH_VERMAGIC MODULE_PROC_FAMILY
#else
# define MODULE_ARCH_VERMAGIC ""
#endif
"""


def headers(line: str) -> list[tuple[str, str]]:
    first, one, second, two = PREEMPT[line]
    text = f"""
#ifndef INCLUDE_VERMAGIC
#error "This header can be included from kernel/module.c or *.mod.c only"
#endif
#include <generated/utsrelease.h>
#ifdef CONFIG_SMP
#define MODULE_VERMAGIC_SMP "SMP "
#else
#define MODULE_VERMAGIC_SMP ""
#endif
#{first}
#define MODULE_VERMAGIC_PREEMPT {one}
#{second}
#define MODULE_VERMAGIC_PREEMPT {two}
#else
#define MODULE_VERMAGIC_PREEMPT ""
#endif
#ifdef RANDSTRUCT
#define MODULE_RANDSTRUCT "RANDSTRUCT_" RANDSTRUCT_HASHED_SEED
#else
#define MODULE_RANDSTRUCT
#endif
#define VERMAGIC_STRING \t\\
\tUTS_RELEASE " " \\
\tMODULE_VERMAGIC_SMP MODULE_VERMAGIC_PREEMPT MODULE_ARCH_VERMAGIC MODULE_RANDSTRUCT
"""
    uts = '#define UTS_RELEASE "6.0-test"\n#define RANDSTRUCT_HASHED_SEED\t"abc"\n'
    return [("utsrelease.h", uts), ("asm/vermagic.h", ARCH), ("vermagic.h", text)]


@pytest.mark.parametrize(
    ("line", "options", "expected"),
    [
        ("5.10", "SMP PREEMPT_VOLUNTARY", "6.0-test SMP "),
        ("5.10", "SMP PREEMPT_RT", "6.0-test SMP preempt_rt "),
        ("5.10", "PREEMPT", "6.0-test preempt "),
        ("6.12", "SMP PREEMPT_BUILD PREEMPT_DYNAMIC", "6.0-test SMP preempt "),
        # What Debian's 6.12 rt kernels say: both are set, and the header asks for BUILD first.
        ("6.12", "SMP PREEMPT_BUILD PREEMPT_RT", "6.0-test SMP preempt "),
        ("7.3", "SMP PREEMPT_BUILD PREEMPT_RT", "6.0-test SMP preempt_rt "),
        ("7.3", "SMP RANDSTRUCT", "6.0-test SMP RANDSTRUCT_abc"),
    ],
)
def test_rule_of_each_line(line: str, options: str, expected: str) -> None:
    config = dict.fromkeys([*options.split(), "X86_64"], "y")
    assert vermagic(config, headers(line)) == expected


def test_an_option_built_as_module_is_another_macro() -> None:
    assert vermagic({"SMP": "m", "X86_64": "y"}, headers("7.3")) == "6.0-test "


def test_the_header_may_refuse() -> None:
    with pytest.raises(UserError, match="asm/vermagic.h: .*unknown processor family"):
        vermagic({"SMP": "y"}, headers("7.3"))
    assert vermagic({"M486": "y", "X86_32": "y"}, headers("7.3")) == "6.0-test 486 "


def test_an_unknown_condition_is_no_guess() -> None:
    with pytest.raises(UserError, match="v.h: cannot tell this kernel's vermagic: condition 'A > 3'"):
        vermagic({}, [("v.h", '#if A > 3\n#define VERMAGIC_STRING "x"\n#endif\n')])
    skipped = '#ifdef NEVER\n#if A > 3\n#elif B > 3\n#endif\n#endif\n#define VERMAGIC_STRING "x"\n'
    assert vermagic({}, [("v.h", skipped)]) == "x"


def test_a_missing_definition_is_named() -> None:
    with pytest.raises(UserError, match="UTS_RELEASE isn't defined"):
        vermagic({"X86_64": "y"}, headers("7.3")[1:])


def test_comments_do_not_count() -> None:
    text = '#define VERMAGIC_STRING "a" /* "b" */ "c" // "d"\n/*\n#define VERMAGIC_STRING "wrong"\n*/\n'
    assert vermagic({}, [("v.h", text)]) == "ac"
