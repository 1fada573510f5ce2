"""The arithmetic of the model's check."""

import pytest

from bench.check import Compared, share, unloaded


def test_the_share_of_a_core() -> None:
    assert share(2, 1, 0.5) == 1.0
    assert share(2, 2, 0.0) == 1.0
    assert share(2, 2, 2.0) == 0.5
    assert share(2, 1, 3.0) == 0.5


def test_what_others_took_is_taken_off() -> None:
    assert unloaded({"a": 10.0}, 2, 3.0) == {"a": 5.0}
    assert unloaded({"a": 10.0}, 2, 0.0) == {"a": 10.0}


@pytest.mark.parametrize(("simulated", "verdict"), [(115.0, "ok"), (85.0, "ok"), (116.0, "MISSED"), (84.0, "MISSED")])
def test_compared(simulated: float, verdict: str) -> None:
    compared = Compared(2, 100.0, simulated, 0.3)
    assert compared.error == pytest.approx(simulated / 100 - 1)
    assert str(compared).endswith(f"at most 15%  {verdict}")
