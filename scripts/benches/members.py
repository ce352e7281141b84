"""Ten folds side by side: against one training of as many rows on all cores, and against scikit-learn's folds."""

from __future__ import annotations

import os
import statistics
import warnings
from dataclasses import replace
from typing import Any

from turns import ratio, rounds

from hepclf import GW, MLP, Job, KFold, PlainMLP, Trainer, fit, prepare
from hepclf.training.cores import cores
from hepclf.training.epoch import Quiet
from hepclf.workflow.members.fit import fit_folds

TRIGGERS, ROUNDS, FOLDS = 80_000, 5, 10
MODELS = {"mlp_plain": PlainMLP(), "mlp": MLP()}
AIM = 8  # times one training, on two cores


def run() -> None:
    """Each model in turns: one training of a fold's events on all cores, then all folds; then scikit-learn's."""
    data = GW(signals=TRIGGERS // 4, noise=TRIGGERS - TRIGGERS // 4, check=False)
    print(f"{TRIGGERS:,} triggers, {FOLDS} folds, {cores()} cores; load before {os.getloadavg()[0]:.1f}\n")
    print("| model | one training, s | folds, s | folds / one | aim |\n|---|---|---|---|---|")
    times: dict[str, list[float]] = {}
    for name, model in MODELS.items():
        job = Job.of(data, model, Trainer(patience=None, device="cpu"), folds=KFold(count=FOLDS))
        prepared = prepare(job)
        alone, first = replace(job, folds=None), prepared.member(0)
        one, ours = rounds(
            lambda first=first, alone=alone: fit(first, alone),
            lambda prepared=prepared, job=job: fit_folds(prepared, job, Quiet()),
            count=ROUNDS,
        )
        times[name] = ours
        cells = [f"{statistics.median(one):.2f}", f"{statistics.median(ours):.2f}", ratio(ours, one), f"{AIM}"]
        print("|", " | ".join([name, *cells]), "|", flush=True)
    _against_sklearn(prepared, times["mlp_plain"])


def _against_sklearn(prepared: Any, ours: list[float]) -> None:
    """cross_val_predict around an MLPClassifier of the layers, batches and epochs of mlp_plain."""
    from sklearn.model_selection import cross_val_predict
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # that the epochs end before convergence
    events, plain = prepared.events, PlainMLP()
    epochs = Trainer().passes(int((prepared.member(0).split == 0).sum()))
    network = MLPClassifier(plain.hidden, batch_size=Trainer().batch, max_iter=epochs, n_iter_no_change=epochs + 1)
    model = make_pipeline(StandardScaler(), network)

    def predict() -> None:
        cross_val_predict(model, events.features, events.labels, cv=FOLDS, method="predict_proba", n_jobs=cores())

    (theirs,) = rounds(predict, count=ROUNDS)
    print(f"\ncross_val_predict around MLPClassifier, {epochs} epochs: {statistics.median(theirs):.2f} s, ", end="")
    print(f"{ratio(theirs, ours)} times the folds of mlp_plain")
