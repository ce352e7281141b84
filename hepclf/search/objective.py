"""The objective of a trial: a measure of its tagger on validation events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.models.model import Tagger
from hepclf.scored import SPLITS, Scored, discriminant
from hepclf.statistics.counting.measures import measure
from hepclf.statistics.counting.optimum import expected_yields
from hepclf.statistics.counting.scan import best_cut, counts
from hepclf.statistics.curves.ranking import Ranking
from hepclf.statistics.curves.working_point import WorkingPoint
from hepclf.statistics.losses import log_loss
from hepclf.statistics.value import Value
from hepclf.workflow.fit import Fitted
from hepclf.workflow.prepare import Prepared

VALID = SPLITS.index("valid")


def objectives(fitted: Fitted, prepared: Prepared, evaluation: Evaluation, names: Sequence[str]) -> tuple[Value, ...]:
    """These objectives on the validation events.

    The log-loss has the weights of the training, which balance the classes: this is the loss that a training minimises.
    The others have the physical weights and are those of metrics.json for the validation set. `prepared` has no test
    events, so yields that are not configured are those of training and validation set together.
    """
    scored = valid_scores(fitted.tagger, prepared)
    values = []
    for name in names:
        if name == "log_loss":
            values.append(log_loss(scored.labels, scored.scores, fitted.valid_weights))
        else:
            values.append(_value(name, scored, evaluation))
    return tuple(values)


def valid_scores(tagger: Tagger, prepared: Prepared) -> Scored:
    """The scored validation events."""
    valid, events = prepared.part("valid"), prepared.events
    totals = np.bincount(events.processes, events.weights, minlength=len(events.process_names))
    return Scored(
        labels=valid.labels,
        weights=valid.weights,
        scores=tagger.scores(valid),
        split=np.full(len(valid), VALID),
        classes=valid.classes,
        processes=valid.processes,
        process_names=valid.process_names,
        totals=totals.astype(np.float64),
    )


def _value(name: str, scored: Scored, evaluation: Evaluation) -> Value:
    if name == "significance":
        return _defined(name, _significance(scored, evaluation), "no cut keeps evaluation.minimum_background")
    valid = evaluate(scored, _lean(evaluation)).valid
    if valid is None:
        raise ValueError("tune.objective needs validation events, not none; check data.split")
    if name == "rejection":
        reason = "there is no cut at the first of evaluation.working_points; begin them with another one"
        return _defined(name, _rejection(valid.working_points), reason)
    return _defined(name, valid.auc, "the weights of a class sum to nothing")


def _rejection(points: Sequence[WorkingPoint]) -> Value:
    """The rejection at the first working point; if no background passes, as for one event of the greatest weight.

    The limit at 95 % is a third of that, and would rank a tagger without background below one with a single event.
    """
    if not points:
        return Value(None)
    point = points[0]
    if point.rejection.value is not None or point.rejection_limit is None:
        return point.rejection
    return Value(point.rejection_limit.at_95 * -math.log1p(-0.95))


def _defined(name: str, value: Value, reason: str) -> Value:
    if value.value is None:
        raise ValueError(f"tune.objective={name} has no value on validation: {reason}")
    return value


def _lean(evaluation: Evaluation) -> Evaluation:
    """The evaluation without its studies, at a threshold that needs no cut."""
    studies = {name: None for name in evaluation.study_settings if name not in evaluation.studies}
    return replace(evaluation, **studies, studies={}, threshold=0.5, plots=False)  # type: ignore[arg-type]


def _significance(scored: Scored, evaluation: Evaluation) -> Value:
    """The Asimov significance at the best cut; it is too high in all trials, as the same events choose the cut."""
    signal = scored.classes.index(evaluation.signal or scored.classes[-1])
    ranking = Ranking(discriminant(scored, signal))
    counted = expected_yields(scored, evaluation.expected, signal, {"valid": ranking}, {"valid": scored})["valid"]
    if isinstance(counted, str):
        raise ValueError(f"tune.objective=significance has no value on validation: {counted}")
    cut = best_cut(counted.curve, evaluation.rules)
    if cut is None:
        return Value(None)
    above = counts(counted.curve, np.flatnonzero(counted.curve.thresholds == cut))
    return Value(float(measure("asimov", above, evaluation.rules)[0]))
