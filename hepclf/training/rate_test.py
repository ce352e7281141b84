"""The learning-rate range test: how the loss changes while the rate grows from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 300  # the rates grow by the same factor in each step
MEMORY = 0.9  # share of the earlier steps in the smoothed loss
NOISY = 20  # first steps, whose smoothed loss is a mean of too few batches to be the lowest
EXPLODED = 4.0  # times the lowest smoothed loss, where the test ends
MARGIN = 10.0  # from the rate of the lowest smoothed loss down to the suggested one


class RateTest(NamedTuple):
    """The rates of a test, the loss of each step's batch before the step, and this loss smoothed.

    exploded  the rate at which the loss grew beyond bounds; None if it did not
    used      the largest rate of the training itself
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    exploded: float | None
    used: float

    @property
    def suggestion(self) -> float:
        """A tenth of the rate with the lowest smoothed loss, which is already too large: beyond it, the loss rises."""
        points = [*zip(self.smoothed, self.rates, strict=True)]
        return min(points[NOISY:] or points)[1] / MARGIN

    @property
    def sentence(self) -> str:
        """What the test suggests, and what the training does."""
        end = f"the loss explodes at {self.exploded or 0:.2g}"
        if self.exploded is None:
            end = f"the loss does not explode up to {self.rates[-1]:.2g}"
        return (
            f"trainer.find_rate suggests trainer.learning_rate={self.suggestion:.2g}: {end}; "
            f"this training uses {self.used:.2g}"
        )


def rate_test(step: Callable[[float], float], used: float) -> RateTest:
    """The losses of steps at growing rates (Smith, arXiv:1506.01186); it ends where the smoothed loss explodes.

    step  takes a step at this rate and returns the loss before it
    used  the largest rate of the training itself
    """
    factor = (HIGHEST / LOWEST) ** (1 / (STEPS - 1))
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean, rate = 0.0, LOWEST
    for number in range(1, STEPS + 1):
        loss = step(rate)
        mean = MEMORY * mean + (1 - MEMORY) * loss
        level = mean / (1 - MEMORY**number)
        if not rates and not math.isfinite(loss):
            raise ValueError(f"the loss of the first batch must be finite, not {loss}; check features and weights")
        if not math.isfinite(level) or level > EXPLODED * min(smoothed[NOISY:], default=level):
            return RateTest(tuple(rates), tuple(losses), tuple(smoothed), rate, used)
        rates.append(rate)
        losses.append(loss)
        smoothed.append(level)
        rate *= factor
    return RateTest(tuple(rates), tuple(losses), tuple(smoothed), None, used)
