"""Five-fold AUC of our models at their defaults and of other libraries, on the same folds of real files.

The files lie in the folder that HEPCLF_REAL_DATA names. Of the training events of a fold every model, ours or not,
takes the same 20 % to stop by; all learn from the same training weights, and are judged with the physical ones.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

from hepclf import BDT, CSV, Events, Root, Sample, Trainer
from hepclf.models.mlp import MLP
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.model import Model
from hepclf.training.epoch import Stopping
from hepclf.training.weights import training_weights

FOLDER = "HEPCLF_REAL_DATA"
FOLDS, STOP_BY = 5, 0.2
ROUNDS, RATE, PATIENCE = 2000, 0.05, 50  # of the trees of other libraries
HIGGS = (
    "lepton_pT lepton_eta lepton_phi missing_energy_magnitude missing_energy_phi "
    + " ".join(f"jet{jet}_{what}" for jet in range(1, 5) for what in ("pt", "eta", "phi", "btag"))
    + " m_jj m_jjj m_lv m_jlv m_bb m_wbb m_wwbb"
).split()

Scores = NDArray[np.float64]
Learner = Callable[[Events, Events, Events], Scores]  # of training, validation and test events to scores of the last


def files(folder: Path) -> dict[str, Any]:
    """Each file as it is read."""
    higgs, tmva, susy = folder / "higgs_20k.root", folder / "tmva_class_example.root", folder / "susy_low_10k.csv"
    labels = {"labels_file": str(susy.with_name("susy_low_10k_label.csv")), "classes": {"background": -1, "signal": 1}}
    magic = {"label": -1, "classes": {"background": "h", "signal": "g"}}
    return {
        "higgs_20k": Root(samples=_two(higgs, "bkg_tree", "sig_tree"), features=tuple(HIGGS)),
        "susy_low_10k": CSV(files=str(susy), header=False, **labels),
        "magic04": CSV(files=str(folder / "magic04.csv"), header=False, **magic),
        "tmva_class_example": Root(
            samples=_two(tmva, "TreeB", "TreeS", weight="weight"), features=("var1", "var2", "var3", "var4")
        ),
    }


def _two(file: Path, background: str, signal: str, weight: str | None = None) -> tuple[Sample, Sample]:
    """Background and signal from two trees of a file; the weight is that of the background alone."""
    return (
        Sample(name="background", class_="background", files=f"{file}:{background}", weight=weight),
        Sample(name="signal", class_="signal", files=f"{file}:{signal}"),
    )


def ours(model: Model) -> Learner:
    """A model of hepclf's, as `hepclf train` fits it."""

    def learn(train: Events, valid: Events, test: Events) -> Scores:
        fit = model.fit(train, valid, Trainer())
        stopping = Stopping(fit.patience)
        for epoch in fit:
            if stopping.done(epoch.valid_loss):
                break
        return fit.tagger().scores(test)

    return learn


def theirs(fitted: Callable[..., Any]) -> Learner:
    """A classifier of another library from (features, labels, weights) of training and validation events."""

    def learn(train: Events, valid: Events, test: Events) -> Scores:
        parts = (
            (part.features, part.labels, training_weights(part.labels, part.weights, part.classes))
            for part in (train, valid)
        )
        scores: Scores = fitted(*parts).predict_proba(test.features)[:, 1]
        return scores

    return learn


def lightgbm(train: Any, valid: Any) -> Any:
    import lightgbm

    trees = lightgbm.LGBMClassifier(n_estimators=ROUNDS, learning_rate=RATE, n_jobs=torch.get_num_threads(), verbose=-1)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    return trees.fit(*train, eval_set=[valid[:2]], eval_sample_weight=[valid[2]], callbacks=[stop])


def xgboost(train: Any, valid: Any) -> Any:
    import xgboost

    trees = xgboost.XGBClassifier(
        n_estimators=ROUNDS,
        learning_rate=RATE,
        early_stopping_rounds=PATIENCE,
        eval_metric="logloss",
        n_jobs=torch.get_num_threads(),
    )
    features, labels, weights = train
    return trees.fit(
        features, labels, sample_weight=weights, eval_set=[valid[:2]], sample_weight_eval_set=[valid[2]], verbose=False
    )


def catboost(train: Any, valid: Any) -> Any:
    import catboost

    trees = catboost.CatBoostClassifier(
        iterations=ROUNDS,
        early_stopping_rounds=PATIENCE,
        thread_count=torch.get_num_threads(),
        allow_writing_files=False,
        verbose=False,
        random_seed=0,
    )
    features, labels, weights = valid
    held = catboost.Pool(features, labels, weight=weights)
    return trees.fit(*train[:2], sample_weight=train[2], eval_set=held)


def histograms(train: Any, valid: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=ROUNDS, learning_rate=RATE, early_stopping=True, n_iter_no_change=PATIENCE, random_state=0
    )
    features, labels, weights = valid
    return trees.fit(*train, X_val=features, y_val=labels, sample_weight_val=weights)


LEARNERS: dict[str, Learner] = {
    "mlp": ours(MLP()),
    "mlp_plain": ours(PlainMLP()),
    "bdt": ours(BDT()),
    "lightgbm": theirs(lightgbm),
    "xgboost": theirs(xgboost),
    "catboost": theirs(catboost),
    "sklearn": theirs(histograms),
}


def folds(events: Events) -> Iterator[tuple[Events, Events, Events]]:
    """Training, validation and test events of each fold."""
    for seed, (rest, test) in enumerate(
        StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(*[events.labels] * 2)
    ):
        train, valid = train_test_split(rest, test_size=STOP_BY, stratify=events.labels[rest], random_state=seed)
        yield events.take(train), events.take(valid), events.take(test)


def judged(learner: Learner, events: Events) -> tuple[list[float], list[float]]:
    """AUC and seconds of each fold."""
    aucs, seconds = [], []
    for train, valid, test in folds(events):
        started = time.perf_counter()
        scores = learner(train, valid, test)
        seconds.append(time.perf_counter() - started)
        aucs.append(float(roc_auc_score(test.labels, scores, sample_weight=test.weights)))
    return aucs, seconds


def run() -> None:
    folder = os.environ.get(FOLDER)
    if folder is None:
        print(f"left out: {FOLDER} must name the folder of higgs_20k.root, susy_low_10k.csv, magic04.csv and so on")
        return
    print("| data | model | AUC, mean ± std of the folds | seconds a fold |")
    print("|---|---|---|---|")
    for data, loader in files(Path(folder)).items():
        events = loader.load()
        for name, learner in LEARNERS.items():
            if name in ("lightgbm", "xgboost", "catboost") and importlib.util.find_spec(name) is None:
                print(f"| {data} | {name} | left out: not installed | |")
                continue
            aucs, seconds = judged(learner, events)
            print(
                f"| {data} | {name} | {statistics.mean(aucs):.4f} ± {statistics.stdev(aucs):.4f} "
                f"| {statistics.median(seconds):.1f} |",
                flush=True,
            )
