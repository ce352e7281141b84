"""Evaluate a run again, from its stored scores or on other data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import Loader
from hepclf.data.titles import named_titles, titles
from hepclf.evaluation.case import Inside
from hepclf.evaluation.chance import KINDS
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.files.store import read_scores
from hepclf.evaluation.results import Results
from hepclf.events import Events
from hepclf.files import read_json, write_yaml
from hepclf.models.loading import load_tagger
from hepclf.models.members import key_columns
from hepclf.models.model import Tagger, undeclared
from hepclf.models.tagger import read_tagger
from hepclf.recipe import describe, read_stored
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.words import Caution
from hepclf.workflow.evaluated import TEST, Evaluated, Facts, heading, inside, score
from hepclf.workflow.members.kfold import carrying, stored_key
from hepclf.workflow.observed import seen as seen_of
from hepclf.workflow.observed import simulated
from hepclf.workflow.record import drawing_workers, record


def reevaluate(
    run: Run,
    evaluation: Evaluation,
    folder: Path,
    data: Loader | None = None,
    *,
    name: str = "",
    recipes: tuple[type[Any], ...] = (),
    observed: Loader | None = None,
    own: Loader | None = None,
) -> tuple[Results, tuple[Path, ...]]:
    """Evaluate a run again from its stored scores, or its tagger on other data, into a folder of its own.

    Other data count as test events; cuts are still chosen on the run's own validation events. `name` is the name of
    those data; `recipes` are your own classes that the tagger may use. `observed` are data of unknown class, compared
    with simulation; without other data, the features of the simulation come from `own`, the run's data.
    """
    scored, facts = _stored(run)
    seen: Inside | None = None
    doubts: list[Caution] = []
    if data is not None:
        facts = facts._replace(data=name or type(data).__name__.lower())
        scored, seen, doubts = _other(scored, load_tagger(run.tagger, recipes), data)
    watched = None
    if observed is not None:
        tagger = load_tagger(run.tagger, recipes)
        watched = seen_of(tagger, observed)
        if own is not None:
            seen = simulated(tagger, scored, own)
    evaluation.check(scored.classes, scored.process_names)
    balance = read_stored(run.config)["trainer"].get("balance", "classes")
    with drawing_workers(evaluation) as workers:
        results = evaluate(scored, evaluation, seen, balance=balance, observed=watched)
        cautions = (*doubts, *results.warnings, *_remembered(run, others=data is not None))
        results = replace(results, warnings=cautions, titles=_titles(run) | titles(data))
        made = Run.create(folder)
        with made.recorded():
            write_yaml(made.config, {"run": str(run.folder), "evaluation": describe(evaluation)})
            plots = record(made, Evaluated(scored=scored, results=results, facts=facts), evaluation, workers=workers)
    return results, plots


def stored_results(run: Run, evaluation: Evaluation) -> tuple[Results, str]:
    """The results of a run from its stored scores, without the studies that need its tagger, and their title."""
    scored, facts = _stored(run)
    balance = read_stored(run.config)["trainer"].get("balance", "classes")
    results = evaluate(scored, evaluation, balance=balance)
    warnings = (*results.warnings, *_remembered(run, others=False))
    return replace(results, warnings=warnings), heading(facts)


def _stored(run: Run) -> tuple[Scored, Facts]:
    """The scores of a run and its description; otherwise an error with the state of the run."""
    run.require(run.scores, run.tagger)
    config, head = read_stored(run.config), read_tagger(run.tagger)[0]
    try:
        names, seed = config["names"], config["trainer"]["seed"]
        folds = stored_key(config)
        facts = Facts(names["data"], names["model"], seed, tuple(head["inputs"]), head["summary"], folds)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{run.config} or its tagger.json was changed: {error!r} is missing; train again") from error
    return read_scores(run.scores), facts


def _titles(run: Run) -> dict[str, tuple[str, str]]:
    """Title and unit of the run's features that have labels."""
    return named_titles(read_stored(run.config)["data"].get("labels", {}))


def _remembered(run: Run, *, others: bool) -> Iterator[Caution]:
    """The warnings of the training that still hold; with other data, the run's own split no longer matters."""
    if not run.metrics.is_file():
        return
    try:
        stored = read_json(run.metrics).get("warnings", [])
        rows = [Caution(str(row["kind"]), tuple(map(str, row["about"])), str(row["text"])) for row in stored]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{run.metrics} was changed: its warnings cannot be read ({error!r}); train again") from error
    outdated = {*KINDS}
    if others:
        outdated.add("leakage")
    yield from (row for row in rows if row.kind not in outdated)


def _other(stored: Scored, tagger: Tagger, data: Loader) -> tuple[Scored, Inside, list[Caution]]:
    """Validation events of a run, other data as its test events, which come last, and what speaks against these."""
    events = carrying(data, key_columns(tagger)).load().check()
    if events.classes != tagger.classes:
        raise ValueError(f"the tagger knows the classes {list(tagger.classes)}, the data {list(events.classes)}")
    parts = np.full(len(events), TEST, dtype=np.int8)
    fresh = score(tagger, events, parts)
    doubts = [*_undeclared(tagger, events), *_trained_on(fresh, stored.of("train"))]
    return stored.of("valid").joined(fresh), inside(tagger, events, parts), doubts


def _undeclared(tagger: Tagger, events: Events) -> Iterator[Caution]:
    if undeclared(tagger, events):
        yield Caution(
            "undeclared_missing",
            (),
            "the data hold values that the tagger takes for missing and the data do not declare: it scores them as "
            "missing, but selections and expressions take them for numbers; set data.missing to what the run declared",
        )


def _trained_on(fresh: Scored, train: Scored) -> Iterator[Caution]:
    """Whether the scores look like those of the training events."""
    # Different events hardly ever have the same score to the last bit.
    known = int(np.isin(_first(fresh), _first(train)).sum())
    if known > 0.01 * len(fresh):
        yield Caution(
            "training_events",
            ("test",),
            f"{known:,} of {len(fresh):,} events have exactly the score of a training event: where they are the same "
            "events, this is no test of the tagger; evaluate the run without data=, or choose other events",
        )


def _first(scored: Scored) -> NDArray[np.float64]:
    return scored.scores.reshape(len(scored), -1)[:, 0]
