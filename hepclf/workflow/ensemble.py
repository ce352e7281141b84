"""An ensemble: finished runs become one tagger, which is evaluated and recorded as that of a training is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.data.loader import Loader
from hepclf.data.titles import titles
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.files.store import write_scores
from hepclf.evaluation.results import Results
from hepclf.events import Events
from hepclf.files import write_yaml
from hepclf.models.loading import load_tagger
from hepclf.models.members import MembersTagger
from hepclf.recipe import build, describe, recipe
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.statistics.losses import log_loss
from hepclf.statistics.mean_logit import Selection, greedy, log_probabilities
from hepclf.training.trainer import Trainer
from hepclf.workflow.candidates import Candidate
from hepclf.workflow.ensemble_members import MembersStudy
from hepclf.workflow.evaluated import Evaluated, Facts
from hepclf.workflow.members.kfold import stored_key
from hepclf.workflow.observed import simulated
from hepclf.workflow.record import drawing_workers, record

NAME = "ensemble"
MANY, BAGS = 10, 20  # from more than so many candidates on, greedy selection is averaged over so many bags


@recipe
class Ensemble:
    """The rule by which finished runs become one tagger, the weighted mean of their logits.

    rule     mean: all runs, with `weights` or alike; greedy: runs and weights with the smallest log-loss on validation
    weights  of the runs in the mean; empty: equal ones
    rounds   largest number of steps of the greedy selection, each of which takes a run, perhaps again
    bags     number of selections that are averaged, each among half of the runs; null: 20 for more than 10 runs, else 1
    seed     of the bags
    """

    rule: Literal["mean", "greedy"] = "mean"
    weights: tuple[float, ...] = ()
    rounds: int = 50
    bags: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("rounds", "bags"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.weights and not (min(self.weights) >= 0 and 0 < sum(self.weights) < np.inf):
            raise ValueError(f"weights must be numbers of at least 0, not all 0, not {list(self.weights)}")
        if self.weights and self.rule == "greedy":
            raise ValueError("weights must be left out with rule=greedy, which finds them; or say rule=mean")

    def shares(self, runs: Sequence[Candidate], trainer: Trainer) -> tuple[NDArray[np.float64], Selection | None]:
        """The weight of each run in the mean, [m], and how it was found if it was."""
        if self.rule == "mean":
            weights = np.array(self.weights or (1.0,) * len(runs))
            if len(weights) != len(runs):
                raise ValueError(f"weights must be {len(runs)} numbers, one for each run, not {len(weights)}")
            return weights / weights.sum(), None
        valid = [run.scored.of("valid") for run in runs]
        if not len(valid[0]):
            raise ValueError("rule=greedy needs validation events, and the runs have none; say rule=mean")
        logs = log_probabilities(np.stack([scored.scores for scored in valid]))
        bags = self.bags or (BAGS if len(runs) > MANY else 1)
        weights = loss_weights(valid[0], trainer)
        selection = greedy(logs, valid[0].labels, weights, rounds=self.rounds, bags=bags, seed=self.seed)
        return selection.shares, selection


@dataclass(frozen=True, kw_only=True, eq=False)
class Combined:
    """An ensemble in its folder, its results and its pictures."""

    run: Run
    tagger: MembersTagger
    results: Results
    plots: tuple[Path, ...]


def write_ensemble(
    runs: Sequence[Candidate],
    ensemble: Ensemble,
    evaluation: Evaluation,
    folder: Path,
    data: Loader | None = None,
    *,
    recipes: tuple[type[Any], ...] = (),
) -> Combined:
    """Make one tagger of these runs and write it as a run of its own.

    Runs and weights are chosen on validation events; the results are those on test events. `data` are the events of
    the runs, for the studies of features; `recipes` are your own classes that the taggers may use.
    """
    first, started = runs[0], time.perf_counter()
    evaluation.check(first.scored.classes, first.scored.process_names)
    trainer: Trainer = build(Trainer, first.config["trainer"], "trainer")
    shares, selection = ensemble.shares(runs, trainer)
    chosen = [place for place in range(len(runs)) if shares[place] > 0]
    taggers = [load_tagger(runs[place].run.tagger, recipes) for place in chosen]
    summary = _summary(runs, shares, ensemble, selection)
    tagger = MembersTagger(taggers, weights=shares[chosen].tolist(), average="logit", summary=summary)
    scored = replace(first.scored, scores=tagger.mean(np.stack([runs[place].scored.scores for place in chosen])))
    run = Run.create(folder)
    with run.recorded() as environment, drawing_workers(evaluation) as workers:
        write_yaml(run.config, _config(runs, ensemble, evaluation, summary), durable=True)
        tagger.save(run.tagger)
        write_scores(run.scores, scored)
        study = MembersStudy(runs, shares, evaluation.expected)
        evaluated = _evaluated(tagger, scored, first, evaluation, trainer, data, study)
        plots = record(run, evaluated, evaluation, workers=workers)
        environment |= {"device": tagger.device, "seconds": {"total": time.perf_counter() - started}}
    return Combined(run=run, tagger=tagger, results=evaluated.results, plots=plots)


def loss_weights(scored: Scored, trainer: Trainer) -> NDArray[np.float64]:
    """The weights that these events have in the loss of a training, [n]."""
    events = Events(
        features=np.empty((len(scored), 0), dtype=np.float32),
        names=(),
        labels=scored.labels,
        weights=scored.weights,
        classes=scored.classes,
        spectators=scored.spectators,
    )
    return trainer.weights(events)


def _evaluated(
    tagger: MembersTagger,
    scored: Scored,
    first: Candidate,
    evaluation: Evaluation,
    trainer: Trainer,
    data: Loader | None,
    study: MembersStudy,
) -> Evaluated:
    seen = None
    # With folds, the score of an event does not follow from its features alone.
    has_folds = any(isinstance(member, MembersTagger) for member in tagger.members)
    if data is not None and not has_folds:
        seen = simulated(tagger, scored, data)
    studied = replace(evaluation, studies={**evaluation.studies, NAME: study})
    results = evaluate(scored, studied, seen, balance=trainer.balance)
    if data is not None:
        results = replace(results, titles=titles(data))
    valid, valid_loss = scored.of("valid"), None
    if len(valid):
        valid_loss = log_loss(valid.labels, valid.scores, loss_weights(valid, trainer))
    data_name, folds = first.config["names"]["data"], stored_key(first.config)
    facts = Facts(data_name, NAME, trainer.seed, tagger.inputs, tagger.summary, folds)
    return Evaluated(scored=scored, results=results, facts=facts, device=tagger.device, valid_loss=valid_loss)


def _summary(
    runs: Sequence[Candidate], shares: NDArray[np.float64], ensemble: Ensemble, selection: Selection | None
) -> dict[str, Any]:
    """What tagger.json and metrics.json say of the choice."""
    summary: dict[str, Any] = {
        "rule": ensemble.rule,
        "candidates": len(runs),
        "weights": {run.name: float(share) for run, share in zip(runs, shares, strict=True)},
    }
    if selection is not None:
        summary["orders"] = [[runs[place].name for place in order] for order in selection.orders]
        summary["losses"] = [list(losses) for losses in selection.losses]
    return summary


def _config(
    runs: Sequence[Candidate], ensemble: Ensemble, evaluation: Evaluation, summary: Mapping[str, Any]
) -> dict[str, Any]:
    """The contents of config.yaml: those of the first run, with the rule as its model, and the runs."""
    first = runs[0].config
    shared = {name: first[name] for name in ("data", "trainer", "folds") if name in first}
    return {
        **shared,
        "model": describe(ensemble),
        "evaluation": describe(evaluation),
        "names": {"data": first["names"]["data"], "model": NAME},
        "members": [{**run.record(), "weight": summary["weights"][run.name]} for run in runs],
    }
