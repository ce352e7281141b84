"""What tests of trainings that stop need."""

from __future__ import annotations

import pytest

from hepclf.workflow.stop import Stop


class StopAfter(Stop):
    """Asks for a stop when it was asked for the reason so many times."""

    def __init__(self, times):
        super().__init__()
        self._times = times

    @property
    def reason(self):
        self._times -= 1
        return "SIGTERM" if self._times < 0 else None


@pytest.fixture
def stop_after():
    """A function that makes a stop which is requested when its reason was asked for so many times."""
    return StopAfter
