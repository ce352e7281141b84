"""Tuned models against their defaults and against a search by hand with Optuna, on the test folds of real files.

The files lie in the folder that HEPCLF_REAL_DATA names. A model is tuned on the events outside the first test fold;
then its settings are trained and tested on every fold. So the events of the other test folds had a part in the choice
of the settings, ours and those found by hand alike. Each search is repeated with other seeds of the sampler, as two
searches of one kind differ too. All learn from the events as they are, without balance.
"""

from __future__ import annotations

import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy import FOLDER, files
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from hepclf import Job, Trainer, prepare
from hepclf.cli.main import main
from hepclf.events import Events
from hepclf.files import read_yaml
from hepclf.models.lightgbm import LightGBM
from hepclf.models.mlp import MLP
from hepclf.models.xgboost import XGBoost
from hepclf.recipe import build
from hepclf.workflow.prepare import Prepared

TRIALS, REPEATS, SEEDS, FOLDS = 20, 2, 3, 5
ROUNDS, PATIENCE = 2000, 50  # of the trees by hand
NAMES = ("higgs_20k", "magic04")
RECIPES = {"xgboost": XGBoost, "lightgbm": LightGBM, "mlp": MLP}

Scores = NDArray[np.float64]
Learner = Callable[[Events, Events, Events], Scores]  # of training, validation and test events to scores of the last


def run() -> None:
    """Rows for each file and model; name files and models in TUNING_ONLY to do fewer."""
    only = os.environ.get("TUNING_ONLY", "").split()
    print(f"{TRIALS} trials, {REPEATS} trainings each (by hand 1); means over {FOLDS} test folds and {SEEDS} searches,")
    print("in brackets the deviation between searches\n")
    print("| file | model | what | AUC | log-loss | a search, s |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in NAMES:
        data = replace(files(Path(os.environ[FOLDER]))[name], check=False)
        folds = [
            prepare(Job.of(replace(data, split=replace(data.split, fold=fold)), MLP(), Trainer()))
            for fold in range(FOLDS)
        ]
        for model in RECIPES:
            if only and not {name, model} <= set(only):
                continue
            defaults = ours(RECIPES[model](), Trainer(balance="none"))
            show(name, model, "defaults", [judged(defaults, folds)])
            ways = {"hepclf tune": partial(tuned, name, model), "Optuna by hand": partial(by_hand, model, folds[0])}
            for what, search in ways.items():
                found = [search(seed) for seed in range(SEEDS)]
                rows = [judged(learner, folds) for learner, _ in found]
                show(name, model, what, rows, [seconds for _, seconds in found])


def show(name: str, model: str, what: str, rows: list[tuple[float, float]], seconds: Sequence[float] = ()) -> None:
    """Print the means over the searches, and the deviation between them."""
    cells = [_mean(values) for values in zip(*rows, strict=True)]
    time_cell = f"{statistics.mean(seconds):.0f}" if seconds else ""
    print(f"| {name} | {model} | {what} | {' | '.join(cells)} | {time_cell} |", flush=True)


def _mean(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({statistics.stdev(values):.4f})"


def judged(learner: Learner, folds: Sequence[Prepared]) -> tuple[float, float]:
    """AUC and log-loss on test, the means over the folds."""
    areas, losses = zip(*(_judged(learner, fold) for fold in folds), strict=True)
    return statistics.mean(areas), statistics.mean(losses)


def _judged(learner: Learner, prepared: Prepared) -> tuple[float, float]:
    train, valid, test = (prepared.part(part) for part in ("train", "valid", "test"))
    scores = learner(train, valid, test)
    return roc_auc_score(test.labels, scores), log_loss(test.labels, scores)


def ours(model: Any, trainer: Trainer) -> Learner:
    """A model of hepclf's, as `hepclf train` fits it."""

    def learn(train: Events, valid: Events, test: Events) -> Scores:
        return fitted(model, trainer, train, valid).scores(test)

    return learn


def fitted(model: Any, trainer: Trainer, train: Events, valid: Events) -> Any:
    """The tagger, with early stopping on the validation events."""
    from hepclf.training.epoch import Stopping

    training = model.fit(train, valid, trainer)
    stopping = Stopping(training.patience)
    for epoch in training:
        if stopping.done(epoch.valid_loss):
            break
    return training.tagger()


def tuned(name: str, model: str, seed: int) -> tuple[Learner, float]:
    """The model with the settings that `hepclf tune` found in its ready space, and how long that took.

    The file says the seed of its split, so that the search's seed decides the values of the trials alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder, "lab", "data")
        lab.mkdir(parents=True)
        (lab / "file.yaml").write_text(_written(name))
        study = Path(folder, "study")
        words = ["--config-dir", str(lab.parent), "data=file", f"model={model}", f"folder={study}"]
        settings = [
            f"seed={seed}",
            "trainer.seed=0",
            "trainer.balance=none",
            f"tune.trials={TRIALS}",
            f"tune.repeats={REPEATS}",
            "evaluation.report=false",
        ]
        started = time.perf_counter()
        with redirect_stdout(io.StringIO()):
            code = main(["tune", *words, *settings, "evaluation.plots=false"])
        seconds = time.perf_counter() - started
        if code:
            raise RuntimeError(f"hepclf tune ended with {code}")
        best = read_yaml(study / "best.yaml")
    recipes = {key: {k: v for k, v in best[key].items() if k != "_target_"} for key in ("model", "trainer")}
    return ours(
        build(RECIPES[model], recipes["model"], "model"), build(Trainer, recipes["trainer"], "trainer")
    ), seconds


def _written(name: str) -> str:
    """The loader as a YAML file."""
    import yaml

    from hepclf.recipe import describe

    description = describe(files(Path(os.environ[FOLDER]).resolve())[name])
    return yaml.safe_dump({**description, "check": False}, sort_keys=False)


def by_hand(model: str, prepared: Prepared, seed: int) -> tuple[Learner, float]:
    """The model with the settings that a plain loop of Optuna's finds, as its tutorials write it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    train, valid = prepared.part("train"), prepared.part("valid")
    learner = {"xgboost": xgboost, "lightgbm": lightgbm, "mlp": mlp}[model]

    def objective(trial: Any) -> float:
        scores = learner(trial.suggest_float, trial.suggest_int, trial.suggest_categorical)(train, valid, valid)
        return float(log_loss(valid.labels, scores))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    started = time.perf_counter()
    study.optimize(objective, n_trials=TRIALS)
    seconds = time.perf_counter() - started
    value = _values(study.best_params)
    return learner(value, value, value), seconds


def _values(values: Mapping[str, Any]) -> Callable[..., Any]:
    return lambda name, *_, **__: values[name]


def xgboost(number: Any, whole: Any, choice: Any) -> Learner:  # noqa: ARG001
    """XGBoost with these settings."""
    import xgboost as library

    settings = {
        "learning_rate": number("learning_rate", 2e-2, 3e-1, log=True),
        "max_depth": whole("max_depth", 3, 10),
        "min_child_weight": number("min_child_weight", 0.1, 50, log=True),
        "reg_lambda": number("reg_lambda", 1e-2, 1e2, log=True),
        "subsample": number("subsample", 0.5, 1.0),
        "colsample_bytree": number("colsample_bytree", 0.4, 1.0),
    }

    def learn(train: Events, valid: Events, test: Events) -> Scores:
        trees = library.XGBClassifier(
            n_estimators=ROUNDS, early_stopping_rounds=PATIENCE, n_jobs=torch.get_num_threads(), **settings
        )
        trees.fit(train.features, train.labels, eval_set=[(valid.features, valid.labels)], verbose=False)
        scores: Scores = trees.predict_proba(test.features)[:, 1].astype(np.float64)
        return scores

    return learn


def lightgbm(number: Any, whole: Any, choice: Any) -> Learner:  # noqa: ARG001
    """LightGBM with these settings."""
    import lightgbm as library

    settings = {
        "learning_rate": number("learning_rate", 2e-2, 3e-1, log=True),
        "num_leaves": whole("num_leaves", 7, 127, log=True),
        "min_child_samples": whole("min_child_samples", 5, 200, log=True),
        "reg_lambda": number("reg_lambda", 1e-3, 1e2, log=True),
        "subsample": number("subsample", 0.5, 1.0),
        "colsample_bytree": number("colsample_bytree", 0.4, 1.0),
    }

    def learn(train: Events, valid: Events, test: Events) -> Scores:
        threads = torch.get_num_threads()
        trees = library.LGBMClassifier(n_estimators=ROUNDS, subsample_freq=1, n_jobs=threads, verbose=-1, **settings)
        stop = library.early_stopping(PATIENCE, verbose=False)
        trees.fit(train.features, train.labels, eval_set=[(valid.features, valid.labels)], callbacks=[stop])
        scores: Scores = trees.predict_proba(test.features)[:, 1]
        return scores

    return learn


def mlp(number: Any, whole: Any, choice: Any) -> Learner:  # noqa: ARG001
    """Our network in a loop by hand, in the ready space of `hepclf tune`."""
    widths = {"2x64": (64, 64), "2x128": (128, 128), "3x128": (128, 128, 128), "3x256": (256, 256, 256)}
    model = MLP(
        dropout=number("dropout", 0, 0.4),
        members=choice("members", [1, 4, 8, 16]),
        embedding=choice("embedding", [1, 2, 4, 8]),
        hidden=widths[choice("hidden", list(widths))],
    )
    trainer = Trainer(
        balance="none",
        learning_rate=number("learning_rate", 5e-4, 2e-2, log=True),
        batch=choice("batch", [128, 256, 512, 1024]),
        weight_decay=number("weight_decay", 1e-6, 1e-2, log=True),
    )
    return ours(model, trainer)
