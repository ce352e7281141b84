"""A tagger of five folds in ONNX and in C++ against Python on a million events, fold by fold."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from hepclf import BDT, GW, PlainMLP
from hepclf.export.formats import FORMATS
from hepclf.export.gate import NETWORK_TOLERANCE, TOLERANCE
from hepclf.models.folds import FoldKey
from hepclf.models.members import MembersTagger
from hepclf.models.xgboost import XGBoost

compiled = pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="there is no C++ compiler")
MODELS = {"mlp_plain": PlainMLP(), "bdt": BDT(), "xgboost": XGBoost()}
MANY, PART = 1_000_000, 100_000
FOLDS = FoldKey(5, ("event",))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["onnx", pytest.param("cpp", marks=compiled)])
@pytest.mark.parametrize("name", MODELS)
def test_a_million_events_have_the_same_scores_fold_by_fold(name, kind, fitted):
    train = GW(signals=5_000, noise=15_000).load()
    part = np.arange(len(train)) % 5
    tagger = MembersTagger([fitted(MODELS[name], train.take(part != fold)) for fold in range(5)], folds=FOLDS)
    events = GW(signals=MANY // 2, noise=MANY // 2, seed=1).load()
    numbers = np.random.default_rng(0).integers(0, 2**63, len(events), dtype=np.uint64)
    worst, beyond = np.zeros(5), 0
    write, read = FORMATS[kind].writer_and_reader(kind, tagger)
    with read(write(tagger, "tagger", {})) as score:
        for start in range(0, len(events), PART):
            rows = np.arange(start, min(start + PART, len(events)))
            some = replace(events.take(rows), spectators={"event": numbers[rows]})
            difference = np.abs(score(some.features, numbers[rows]) - tagger.scores(some))
            np.maximum.at(worst, FOLDS.folds(some), difference)
            beyond += int((difference > TOLERANCE).sum())
    print(f"{name} in {kind}: largest difference by fold {worst}, {beyond} of {len(events):,} events beyond 1e-6")
    # The sums of a network are float32 in Python too: far outside of the training set they are off by more than 1e-6.
    rare, allowed = (10, NETWORK_TOLERANCE) if name == "mlp_plain" else (0, TOLERANCE)
    assert beyond <= rare
    assert worst.max() <= allowed
    assert len(events) >= MANY
