"""Which accelerator is used, and why."""

from functools import partial
from pathlib import Path

import pytest

from tools.lib.errors import UserError
from tools.vm import accelerator
from tools.vm.accelerator import choose, probe

NONE = Path("/nowhere/kvm")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is chosen doesn't hang on how busy this machine is: the probe is a process, which has to be scheduled."""
    monkeypatch.setattr(accelerator, "probe", partial(probe, limit=60.0))


def test_without_the_device_it_is_tcg() -> None:
    assert choose({}, NONE) == accelerator.Accelerator("tcg", "there is no /nowhere/kvm")


def test_a_file_that_opens_is_no_proof() -> None:
    chosen = choose({}, Path("/dev/null"))
    assert chosen.name == "tcg"
    assert chosen.reason.startswith("/dev/null opens, but a probe guest failed: ")


def test_a_guest_that_runs_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_run_guest", lambda device: "ran 10 steps in 0.1 ms")
    assert choose({}, NONE) == accelerator.Accelerator("kvm", "a probe guest ran 10 steps in 0.1 ms")
    assert choose({"VM_ACCEL": "kvm"}, NONE).name == "kvm"


def test_a_guest_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(device: Path) -> str:
        while True:
            pass

    monkeypatch.setattr(accelerator, "_run_guest", hang)
    works, why = probe(NONE, limit=0.1)
    assert not works
    assert why == "/nowhere/kvm opens, but a probe guest didn't finish 1,000,000 steps in 0.1 s"


def test_tcg_can_be_asked_for_and_nothing_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "probe", None)
    assert choose({"VM_ACCEL": "tcg"}, NONE) == accelerator.Accelerator("tcg", "VM_ACCEL asks for it")


def test_kvm_that_does_not_work_can_not_be_asked_for() -> None:
    with pytest.raises(UserError, match="VM_ACCEL asks for kvm, which doesn't work here: there is no /nowhere/kvm; "):
        choose({"VM_ACCEL": "kvm"}, NONE)


def test_other_accelerators_are_unknown() -> None:
    with pytest.raises(UserError, match="VM_ACCEL is 'xen'; expected one of: kvm, tcg"):
        choose({"VM_ACCEL": "xen"}, NONE)


@pytest.mark.skipif(not Path("/dev/kvm").exists(), reason="there is no /dev/kvm")
def test_the_probe_comes_to_an_end_on_this_machine() -> None:
    works, why = probe()
    assert why.startswith("a probe guest ran ") if works else "/dev/kvm" in why
