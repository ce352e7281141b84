"""What training boosted trees through hepclf adds to their library, and how fast taggers and exported files score."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import torch
from turns import ratio, rounds

from hepclf import BDT, MLP, Events, LightGBM, PlainMLP, Trainer, XGBoost
from hepclf.export.formats import FORMATS
from hepclf.models.model import Model, Tagger
from hepclf.models.network import Network

EVENTS, FEATURES, ITERATIONS = 100_000, 20, 100


def data(seed: int, events: int = EVENTS) -> Events:
    """Two classes that differ in the mean of half of the features and in the width of the others."""
    rng = np.random.default_rng(seed)
    labels = np.arange(events) % 2
    features = rng.normal(size=(events, FEATURES))
    features[:, ::2] += 0.2 * labels[:, None]
    features[:, 1::2] *= 1 + 0.2 * labels[:, None]
    return Events(features=features, labels=labels, names=tuple(f"x{i}" for i in range(FEATURES)))


def trained(model: Model, train: Events, valid: Events) -> Tagger:
    fit = model.fit(train, valid, Trainer(epochs=1 if isinstance(model, Network) else None, patience=None))
    for _ in fit:
        pass
    return fit.tagger()


def xgboost(train: Events, valid: Events) -> Any:
    import xgboost

    parts = [xgboost.DMatrix(part.features, part.labels) for part in (train, valid)]
    settings = {"objective": "binary:logistic", "eta": 0.1, "max_depth": 6, "nthread": torch.get_num_threads()}
    judged = [(part, name) for part, name in zip(parts, ("train", "valid"), strict=True)]
    return xgboost.train(settings, parts[0], ITERATIONS, evals=judged, verbose_eval=False)


def lightgbm(train: Events, valid: Events) -> Any:
    import lightgbm

    given = lightgbm.Dataset(train.features, train.labels)
    parts = [given, lightgbm.Dataset(valid.features, valid.labels, reference=given)]
    settings = {"objective": "binary", "num_threads": torch.get_num_threads(), "verbosity": -1}
    settings |= {"deterministic": True, "force_col_wise": True}
    return lightgbm.train(settings, given, ITERATIONS, valid_sets=parts)


def scikit(train: Events, valid: Events) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(max_iter=ITERATIONS, early_stopping=True, n_iter_no_change=ITERATIONS)
    # In a thread that ends, as ours: OpenMP is slow where two threads hold pools of its own.
    given = {"X_val": valid.features, "y_val": valid.labels}
    thread = Thread(target=trees.fit, args=(train.features, train.labels), kwargs=given)
    thread.start()
    thread.join()
    return trees


BY_HAND: dict[str, tuple[Model, Callable[[Events, Events], Any]]] = {
    "xgboost": (XGBoost(iterations=ITERATIONS), xgboost),
    "lightgbm": (LightGBM(iterations=ITERATIONS), lightgbm),
    "bdt": (BDT(iterations=ITERATIONS), scikit),
}
SCORED: dict[str, Model] = {
    "mlp": MLP(),
    "mlp_plain": PlainMLP(),
    **{name: model for name, (model, _) in BY_HAND.items()},
}


def run() -> None:
    train, valid = data(0), data(1, EVENTS // 4)
    print("| model | ours, s | ours / by hand |\n|---|---|---|")
    for name, (model, hand) in BY_HAND.items():
        mine, theirs = rounds(lambda: trained(model, train, valid), lambda: hand(train, valid), count=5)  # noqa: B023
        print(f"| {name} | {statistics.median(mine):.2f} | {ratio(mine, theirs)} |", flush=True)
    print(
        "\n| model | tagger, events a second | speed of its ONNX file in onnxruntime / of the tagger |\n|---|---|---|"
    )
    small, onnx = train.take(np.arange(5000)), FORMATS["onnx"]
    for name, model in SCORED.items():
        tagger = trained(model, small, small)
        write, read = onnx.writer_and_reader("onnx", tagger)
        with read(write(tagger, name, {})) as score:
            mine, theirs = rounds(lambda: tagger.scores(train), lambda: score(train.features), count=5)  # noqa: B023
        print(f"| {name} | {EVENTS / statistics.median(mine):,.0f} | {ratio(mine, theirs)} |", flush=True)
