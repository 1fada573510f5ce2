"""What a benchmark promises."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """A measured figure, and what it may be at most; an empty unit is a ratio."""

    name: str
    figure: float
    limit: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.figure <= self.limit

    def __str__(self) -> str:
        verdict = "ok" if self.kept else "MISSED"
        return f"{self.name:<52} {self.figure:10.2f} {self.unit:<2} at most {self.limit:.2f} {self.unit:<2} {verdict}"
