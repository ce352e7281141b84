"""The progress of a training in half a line: losses, best epoch, speed, and the time left."""

from __future__ import annotations

from hepclf.training.epoch import Best, Epoch


class Pace:
    """Follows the epochs of one training."""

    def __init__(self) -> None:
        self._best = Best()
        self._epochs = 0
        self._seconds = 0.0

    def note(self, epoch: Epoch, epochs: int, events: int | None) -> str:
        """The note on an epoch, of at most `epochs`, over `events` training events; None: before it was resumed.

        Speed and time left come from the mean over the epochs since then; patience may end the training earlier.
        """
        self._best.take(epoch.epoch, epoch.valid_loss)
        losses = f"loss {epoch.train_loss:.4f}, valid {epoch.valid_loss:.4f}, best {self._best.epoch}"
        if events is None:
            return losses
        self._epochs += 1
        self._seconds += epoch.seconds
        mean = max(self._seconds / self._epochs, 1e-9)
        return f"{losses}, {short_count(events / mean)} events/s, {duration((epochs - epoch.epoch) * mean)} left"


def short_count(count: float) -> str:
    """A count in at most four characters: 950, 12k, 1.2M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            decimals = 1 if count < 9.95 * size else 0
            return f"{count / size:.{decimals}f}{unit}"
    return f"{count:.0f}"


def duration(seconds: float) -> str:
    """A duration in a suitable unit: 40 s, 62 min, 3.2 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
