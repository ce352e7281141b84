"""The contents of a dataset, before any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.survey import cautions
from hepclf.survey.duplicates import Duplicates, duplicates
from hepclf.survey.feature import FeatureSummary, feature_summaries
from hepclf.survey.population import Population, classes, processes
from hepclf.words import Caution

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The classes, processes and features of a dataset, and the warnings about them.

    luminosity_fb  the sums of weights are the expected yields for it; None where it is not known
    titles         title and unit of features, for pictures
    """

    events: int
    classes: tuple[Population, ...]
    processes: tuple[Population, ...]
    features: tuple[FeatureSummary, ...]
    spectators: tuple[str, ...]
    duplicates: Duplicates
    warnings: tuple[Caution, ...]
    luminosity_fb: float | None = None
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "schema": SCHEMA,
            "events": self.events,
            "luminosity_fb": self.luminosity_fb,
            "classes": [row.to_dict(self.luminosity_fb) for row in self.classes],
            "processes": [row.to_dict(self.luminosity_fb) for row in self.processes],
            "features": [row.to_dict() for row in self.features],
            "spectators": list(self.spectators),
            "duplicates": self.duplicates._asdict(),
            "warnings": [row.to_dict() for row in self.warnings],
        }


def survey(
    events: Events,
    parts: NDArray[np.int8] | None = None,
    *,
    luminosity_fb: float | None = None,
    shapes: bool = False,
    obstacles: tuple[str, ...] = (),
) -> Survey:
    """Survey the events, also those that could not be trained on.

    `parts` is the split of each event: 0 train, 1 valid, 2 test. `shapes` keeps histograms for drawing. `obstacles`
    are further reasons why no tagger could be trained.
    """
    _refuse_uncountable(events)
    by_class, by_process = classes(events, parts), processes(events, parts)
    feature_rows = tuple(feature_summaries(events, shapes=shapes))
    copied = duplicates(events, parts)
    warnings = (
        *cautions.training_refusal(events),
        *(Caution("refused", (), f"training stops here: {text}") for text in obstacles),
        *cautions.population_warnings(by_class, [row.name for row in by_process if row.events == 0], events),
        *cautions.feature_warnings(feature_rows, by_class, events.sentinels),
        *cautions.duplicate_warnings(copied),
    )
    return Survey(
        events=len(events),
        classes=by_class,
        processes=by_process,
        features=feature_rows,
        spectators=tuple(events.spectators),
        duplicates=copied,
        warnings=warnings,
        luminosity_fb=luminosity_fb,
    )


def _refuse_uncountable(events: Events) -> None:
    """Refuse events that cannot be counted: an empty table, or the label of a class that does not exist."""
    indices = ((events.labels, events.classes), (events.processes, events.process_names))
    if len(events) == 0 or any(index.min() < 0 or index.max() >= len(names) for index, names in indices):
        events.check()
