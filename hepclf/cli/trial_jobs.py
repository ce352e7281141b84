"""The jobs of a study's trials: the words that all trials share, with the settings of one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from hepclf.cli import configs
from hepclf.cli.composition import Composition
from hepclf.cli.config import Composed, composed, composing, hydra_words
from hepclf.cli.plan import fresh

if TYPE_CHECKING:
    from hepclf.workflow.job import Job

COMMAND = "tune"


class TrialJobs(NamedTuple):
    """Builds the job of each trial, as if its settings followed the shared words on the command line."""

    hydra: Composition
    words: tuple[str, ...]

    def composed(self, settings: Mapping[str, Any]) -> Composed:
        """The configuration with these settings."""
        shared = [word for word in self.words if word.partition("=")[0] not in settings]
        typed = [f"{key}={_typed(key, value)}" for key, value in settings.items()]
        return composed(self.hydra.config(hydra_words(COMMAND, [*shared, *typed])[1]))

    def job(self, settings: Mapping[str, Any]) -> Job:
        """The job with these settings."""
        from hepclf.workflow.job import Job

        composed = self.composed(settings)
        recipes, names = fresh(composed, composed.values)
        return Job.of(**recipes, names=names)


@contextmanager
def trial_jobs(words: Sequence[str]) -> Iterator[TrialJobs]:
    """Prepare Hydra for the jobs of a study in this block."""
    with composing(COMMAND, words) as hydra:
        yield TrialJobs(hydra, tuple(words))


def _typed(key: str, value: Any) -> str:
    """A value in Hydra's grammar; the name of a choice needs no quotes."""
    from hydra.core.override_parser.types import Quote, QuotedString

    if isinstance(value, list):
        return f"[{','.join(_typed(key, item) for item in value)}]"
    if isinstance(value, str) and key not in configs.GROUPS:
        return str(QuotedString(value, Quote.double).with_quotes())
    return value if isinstance(value, str) else json.dumps(value)
