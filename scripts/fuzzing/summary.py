"""The table of a run of the fuzzer."""

from __future__ import annotations

from collections import Counter, defaultdict

from cage import Outcome


class Summary:
    """Counts, the longest time and the most memory of the cases of each kind."""

    def __init__(self) -> None:
        self._tried: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._seconds: dict[str, float] = defaultdict(float)
        self._memory: dict[str, int] = defaultdict(int)

    def add(self, kind: str, outcome: Outcome) -> None:
        """Count a case."""
        self._tried[kind] += 1
        self._failed[kind] += outcome.failure is not None
        self._refused[kind] += outcome.failure is None and outcome.message != ""
        self._seconds[kind] = max(self._seconds[kind], outcome.seconds)
        self._memory[kind] = max(self._memory[kind], outcome.memory)

    @property
    def failed(self) -> int:
        """Number of cases that failed."""
        return self._failed.total()

    def table(self) -> str:
        """A row for each kind, and one for all."""
        head = f"{'kind':<14}{'tried':>8}{'held':>8}{'refused':>9}{'failed':>8}{'longest':>10}{'most memory':>13}"
        return "\n".join((head, *(self._row(kind, (kind,)) for kind in self._tried), self._row("all", [*self._tried])))

    def _row(self, name: str, kinds: tuple[str, ...] | list[str]) -> str:
        tried, failed, refused = (sum(c[kind] for kind in kinds) for c in (self._tried, self._failed, self._refused))
        seconds = max((self._seconds[kind] for kind in kinds), default=0.0)
        memory = max((self._memory[kind] for kind in kinds), default=0) / 1e6
        counts = f"{tried:>8,}{tried - failed:>8,}{refused:>9,}{failed:>8,}"
        return f"{name:<14}{counts}{seconds:>8.1f} s{memory:>10,.0f} MB"
