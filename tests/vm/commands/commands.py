"""What a script can ask of a machine: commands of any kind, with their limits, and the console."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.vm.script import section, vm


def refused(call: Callable[[], object]) -> str:
    """What a call fails with."""
    try:
        call()
    except Exception as error:
        return str(error)
    raise AssertionError("it didn't fail")


with section("Commands give what they print, and how they end"):
    assert vm.succeed("echo one", "echo two >&2") == "one\ntwo\n"
    assert vm.execute("printf 'no newline'; exit 3") == (3, "no newline")
    assert vm.fails("echo why; false").output == "why\n"
    assert vm.execute("kill -TERM $(exec sh -c 'echo $PPID')")[0] == 128 + 15
    assert vm.succeed("for word in a 'b c'; do\n    echo \"<$word>\"\ndone") == "<a>\n<b c>\n"
    assert vm.succeed("printf '\\377\\000'") == "\\xff\0"
    assert len(vm.succeed("head -c 1000000 /dev/zero | tr '\\0' x")) == 1_000_000

with section("What fails says why"):
    assert refused(lambda: vm.succeed("echo out; exit 3")) == "vm: `echo out; exit 3` ended with exit code 3: out"
    assert refused(lambda: vm.fails("true")) == "vm: `true` succeeded, and should have failed"
    assert refused(lambda: vm.succeed("head -c 2000000 /dev/zero")).endswith("write such an output to a file")
    assert refused(lambda: vm.insmod("x")) == "vm: it has no module 'x.ko'; it has: none; vm_test takes `modules`"

with section("A command that takes too long is killed, with all that it started"):
    late = refused(lambda: vm.succeed("echo begun; sleep 1000 | sleep 1000", timeout=2))
    assert late == "vm: `echo begun; sleep 1000 | sleep 1000` took longer than 2 s and was killed"
    assert vm.fails("pidof sleep")

with section("What a command leaves behind runs on, and is no part of the next one"):
    vm.succeed("(sleep 1; echo late; echo done >/tmp/left) &")
    assert vm.wait_until_succeeds("cat /tmp/left") == "done\n"
    assert vm.wait_until_fails("rm /tmp/left").code == 1

with section("The console"):
    vm.succeed("echo 'a word: 17' >/dev/kmsg")
    assert vm.wait_for_console(r"a word: \d+").endswith("a word: 17")
    assert vm.kernel_log()[-1].endswith("a word: 17")
    assert "no line on the console matched 'never' within 1 s" in refused(lambda: vm.wait_for_console("never", 1))

with section("Off and on again"):
    vm.succeed("touch /tmp/here")
    vm.shutdown()
    assert refused(lambda: vm.succeed("true")) == "vm: it isn't running; call vm.start()"
    vm.start()
    assert refused(vm.start) == "vm: it runs already"
    vm.succeed("test ! -e /tmp/here")
    vm.crash()
