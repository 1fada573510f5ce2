"""Silence is an answer owed for long enough, by both clocks."""

from tools.vm.heartbeat import LIMIT, RAN, Heartbeat


class Machine:
    """A machine that answers as it's told to, and its heartbeat; `share` of the time it has a processor."""

    def __init__(self, share: float = 1.0) -> None:
        self.pings: list[bytes] = []
        self.sent = 0
        self.heartbeat = Heartbeat(self._send)
        self.share = share
        self.now = 100.0
        self.heartbeat.tick(self.now, self.now * share)

    def _send(self, data: bytes) -> None:
        self.sent += 1
        assert data == f"ping {self.sent}\n".encode()
        self.pings.append(data.strip())

    def live(self, seconds: float, echo: bool = True, answer: bool = True, step: float = 0.1) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            for ping in self.pings:
                if echo:
                    self.heartbeat.answer(ping)
                if answer:
                    self.heartbeat.answer(ping.replace(b"ping", b"pong"))
            self.pings.clear()
            self.now += step
            self.heartbeat.tick(self.now, self.now * self.share)


def test_a_machine_that_answers_is_not_silent() -> None:
    machine = Machine()
    machine.live(60)
    assert not machine.heartbeat.silent


def test_a_machine_is_pinged_every_second() -> None:
    machine = Machine()
    machine.live(5, echo=False, answer=False)
    assert 5 <= machine.sent <= 6


def test_a_machine_that_answers_no_more_is_silent_after_the_limit() -> None:
    machine = Machine()
    machine.live(5)
    machine.live(LIMIT - 0.5, echo=False, answer=False)
    assert not machine.heartbeat.silent
    machine.live(2, echo=False, answer=False)
    assert (machine.heartbeat.silent, machine.heartbeat.echoes) == (True, False)


def test_echoes_without_answers_say_that_the_kernel_lives() -> None:
    machine = Machine()
    machine.live(LIMIT + 2, answer=False)
    assert (machine.heartbeat.silent, machine.heartbeat.echoes) == (True, True)


def test_an_answer_ends_the_silence() -> None:
    machine = Machine()
    machine.live(LIMIT - 1, answer=False)
    machine.live(1)
    machine.live(LIMIT - 1, answer=False)
    assert not machine.heartbeat.silent


def test_a_machine_without_a_processor_is_slow_and_not_silent() -> None:
    machine = Machine(share=0.01)
    machine.live(10 * LIMIT, echo=False, answer=False)
    assert not machine.heartbeat.silent
    machine = Machine(share=0.2)
    machine.live(RAN / 0.2 + 2, echo=False, answer=False)
    assert machine.heartbeat.silent


def test_time_that_the_driver_does_not_see_does_not_count() -> None:
    machine = Machine()
    machine.live(8 * LIMIT, echo=False, answer=False, step=8 * LIMIT)
    assert not machine.heartbeat.silent


def test_other_lines_are_passed_over() -> None:
    heartbeat = Heartbeat(lambda data: None)
    for line in (b"", b"ended", b"pong", b"pong x", b"\xff\xfe"):
        heartbeat.answer(line)
