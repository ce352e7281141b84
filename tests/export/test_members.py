"""Taggers of members in each format that holds them: the member of each fold, or the mean of all."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hepclf import BDT, Evaluation, PlainMLP, Trainer, train
from hepclf.events import Events
from hepclf.export import cases
from hepclf.export.cases import file_key
from hepclf.export.components import fold_columns
from hepclf.export.cpp.model import cpp_header
from hepclf.export.exported import Export, exported
from hepclf.export.formats import FORMATS
from hepclf.export.gate import largest_difference, trial
from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.fisher import Fisher
from hepclf.models.folds import FoldKey, hashed
from hepclf.models.likelihood import Likelihood
from hepclf.models.members import MembersTagger
from hepclf.models.trees import TreesTagger
from hepclf.statistics.calibration import Temperature, isotonic

compiler = shutil.which("g++") or shutil.which("clang++")
compiled = pytest.mark.skipif(compiler is None, reason="there is no C++ compiler")
STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
MODELS = {"network": PlainMLP(hidden=(6,)), "trees": BDT(iterations=4, leaves=5), "fisher": Fisher()}
BY_EVENT, HASHED = FoldKey(3, ("event",)), FoldKey(3, ("run", "event"))


@pytest.fixture
def numbered(events):
    """Events with their numbers, some too large for a double."""

    def make(classes=2, size=400, seed=0):
        numbers = np.arange(size, dtype=np.uint64)
        columns = {"run": numbers // np.uint64(10), "event": numbers + np.uint64(2**60)}
        return replace(events(classes, size=size, seed=seed), spectators=columns, sentinels={"b": (-99.0,)})

    return make


def single(model, events, fitted, keep=None):
    """The tagger of one training, which uses only the first `keep` features."""
    return fitted(model, replace(events, features=events.features[:, :keep], names=events.names[:keep]))


@pytest.fixture
def members(numbered, fitted):
    """Three taggers of different models and different features: a network, trees with a calibration, Fisher."""

    def make(classes=2):
        first, second, third = (numbered(classes, seed=seed) for seed in range(3))
        trees = single(MODELS["trees"], second, fitted)
        calibration = Temperature(1.7)
        if classes == 2:
            calibration = isotonic(trees.scores(second), second.labels, np.ones(len(second)))
        return [
            single(MODELS["network"], first, fitted, keep=3),
            CalibratedTagger(trees, calibration),
            single(MODELS["fisher"], third, fitted, keep=2),
        ]

    return make


def difference(kind, tagger, events, wrong=None):
    """The gate's answer to an export of the tagger, or of a wrong one in its place."""
    write, read = FORMATS[kind].writer_and_reader(kind, wrong or tagger)
    with read(write(wrong or tagger, "tagger", {})) as score:
        tried = trial(tagger, events.select(tagger.inputs), events.spectators)
        return largest_difference(kind, score, tried, refuses=FORMATS[kind].refuses)


def nested(members):
    """An ensemble of two taggers that have folds."""
    groups = (members, members[::-1])
    return MembersTagger([MembersTagger(group, folds=BY_EVENT) for group in groups], weights=[1, 3], average="logit")


KINDS = {
    "by event": lambda members: MembersTagger(members, folds=BY_EVENT),
    "hashed": lambda members: MembersTagger(members, folds=HASHED),
    "random": lambda members: MembersTagger(members, folds=FoldKey(3)),
    "mean": lambda members: MembersTagger(members, weights=[1, 2, 3]),
    "logits": lambda members: MembersTagger(members, weights=[1, 2, 3], average="logit"),
    "nested": nested,
}
QUICK = {("nested", 2, "onnx"), ("by event", 3, "onnx"), ("nested", 2, "cpp")}


def case(name, classes, kind):
    """The slow cases go through the same code in another combination."""
    marks = [compiled] if kind == "cpp" else []
    if (name, classes, kind) not in QUICK:
        marks.append(pytest.mark.slow)
    return pytest.param(name, classes, kind, marks=marks)


CASES = [case(name, 2, kind) for name in KINDS for kind in ("onnx", "cpp")]
CASES += [case(name, 3, kind) for name in ("by event", "nested") for kind in ("onnx", "cpp")]


@pytest.mark.parametrize(("name", "classes", "kind"), CASES)
def test_a_tagger_of_members_gives_the_same_scores(name, classes, kind, numbered, members):
    tagger = KINDS[name](members(classes))
    assert difference(kind, tagger, numbered(classes, seed=5)) <= 1e-6


@pytest.fixture
def fishers(numbered, fitted):
    """Three taggers that take little time."""
    return [fitted(MODELS["fisher"], numbered(seed=seed)) for seed in range(3)]


def read(kind, tagger):
    write, reader = FORMATS[kind].writer_and_reader(kind, tagger)
    return reader(write(tagger, "tagger", {}))


WRONG = {
    "members in another order": lambda members: MembersTagger(members[::-1], folds=BY_EVENT),
    "other folds": lambda members: MembersTagger([*members, members[0]], folds=FoldKey(4, ("event",))),
    "one member": lambda members: MembersTagger([members[0]] * 3, folds=BY_EVENT),
}


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_file_that_selects_other_members_is_refused(wrong, real, numbered, fishers):
    tagger, events = MembersTagger(fishers, folds=BY_EVENT), numbered(size=40)
    events = events if real else events.take(np.arange(0))
    with pytest.raises(ValueError, match=r"differs from the tagger by .* and the event number is \d+\); nothing"):
        difference("onnx", tagger, events, wrong(fishers))


@pytest.mark.parametrize("average", ["probability", "logit"])
def test_other_weights_and_another_mean_are_refused(average, numbered, fishers):
    tagger = MembersTagger(fishers, weights=[1, 2, 3], average=average)
    swapped = "logit" if average == "probability" else "probability"
    for wrong in (
        MembersTagger(fishers, weights=[1, 2, 3.001], average=average),
        MembersTagger(fishers, weights=[1, 2, 3], average=swapped),
    ):
        with pytest.raises(ValueError, match="differs from the tagger by"):
            difference("onnx", tagger, numbered(), wrong)


def test_a_threshold_that_is_one_step_off_is_refused_in_whichever_member_it_is(numbered, fitted, monkeypatch):
    monkeypatch.setattr(cases, "SAMPLE", 0)  # the edge cases of a member reach it with its own fold
    members = [fitted(BDT(iterations=1, leaves=3), numbered(seed=seed)) for seed in range(3)]
    tagger = MembersTagger(members, folds=BY_EVENT)
    for position, member in enumerate(members):
        for split in np.flatnonzero(member.arrays["features"] >= 0):
            thresholds = member.arrays["thresholds"].copy()
            thresholds[split] = np.nextafter(thresholds[split], np.float32(np.inf))
            changed = TreesTagger(
                inputs=member.inputs,
                classes=member.classes,
                arrays={**member.arrays, "thresholds": thresholds},
                settings=member.settings,
                sentinels=member.sentinels,
            )
            wrong = MembersTagger([*members[:position], changed, *members[position + 1 :]], folds=BY_EVENT)
            with pytest.raises(ValueError, match="differs from the tagger by"):
                difference("onnx", tagger, numbered(size=30), wrong)


@pytest.mark.parametrize("folds", [BY_EVENT, HASHED], ids=["by event", "hashed"])
def test_every_fold_is_tried_with_real_events_and_edge_cases(folds, numbered, fishers):
    events = numbered(size=20)
    tagger = MembersTagger(fishers, folds=folds)
    tried = trial(tagger, events.features, events.spectators)
    assert (tried.key[:20] == file_key(folds, events)).all()
    assert (np.bincount((tried.key[20:] % np.uint64(3)).astype(int)) > 300).all()
    sample = [tried.features[20:][tried.key[20:] % np.uint64(3) == fold] for fold in range(3)]
    for part in sample:
        assert all((part == row).all(axis=1).any() for row in np.nan_to_num(events.features[1:9]))
    unknown = trial(tagger, events.features)
    assert set((unknown.key[:20] % np.uint64(3)).tolist()) == {0, 1, 2}


def test_a_member_behind_each_fold_of_a_hash_is_reached():
    for row, columns in enumerate(fold_columns(FoldKey(50, ("run", "lumi", "event")))):
        spectators = {name: np.array([value], dtype=np.uint64) for name, value in columns.items()}
        events = Events(features=np.zeros((1, 1)), names=("x",), spectators=spectators)
        assert FoldKey(50, ("run", "lumi", "event")).folds(events).tolist() == [row]


def test_an_event_number_that_onnx_cannot_hold_is_refused_and_a_negative_one_has_no_score(numbered, fishers):
    import onnxruntime

    tagger, events = MembersTagger(fishers, folds=BY_EVENT), numbered(size=4)
    write, _ = FORMATS["onnx"].writer_and_reader("onnx", tagger)
    session = onnxruntime.InferenceSession(write(tagger, "tagger", {}), providers=["CPUExecutionProvider"])
    arrays = {"features": events.features, "event": np.array([2**63 - 1, -1, 5, -(2**63)])}
    (scores,) = session.run(["probability"], arrays)
    assert np.isnan(scores).tolist() == [False, True, False, True]
    largest = numbered(size=1).features, np.array([2**63], dtype=np.uint64)
    with read("onnx", tagger) as score, pytest.raises(ValueError, match="must be below 2\\^63 for format=onnx"):
        score(*largest)


# Prints the fold of each event of 2 x 64 bit, and the score with the event number beside the one with the fold.
PROGRAM = """
#include "my.hpp"
#include <cstdio>
int main() {
  std::uint64_t run, event;
  while (std::scanf("%lu %lu", &run, &event) == 2) {
    const float x[my::inputs] = {1, 2, 3, 4};
    const std::uint64_t number = my::event_number({run, event});
    if (my::score(x, number) != my::score(x, number % 3)) return 1;
    std::printf("%lu\\n", static_cast<unsigned long>(number));
  }
}
"""


@compiled
def test_a_header_hashes_columns_as_the_tagger_does_and_compiles_without_a_warning(members):
    Path("my.hpp").write_bytes(cpp_header(MembersTagger(members(), folds=HASHED), "my", {}))
    Path("main.cpp").write_text(PROGRAM)
    subprocess.run([compiler, *STRICT, "main.cpp", "-o", "main"], check=True)
    columns = np.random.default_rng(0).integers(0, 2**64, (100, 2), dtype=np.uint64)
    text = "".join(f"{run} {event}\n" for run, event in columns.tolist())
    done = subprocess.run(["./main"], input=text, capture_output=True, text=True, check=True)
    assert list(map(int, done.stdout.split())) == hashed(list(columns.T)).tolist()


def test_common_code_stands_once_in_a_header_of_many_members(members):
    group = members()
    lengths = [len(cpp_header(MembersTagger(group * n), "my", {})) for n in (1, 2, 3)]
    header = cpp_header(MembersTagger(group * 3), "my", {}).decode()
    assert lengths[2] - lengths[1] == pytest.approx(lengths[1] - lengths[0], rel=0.01)
    for piece in ("struct Node {", "void linear(", "inline double logit(", "inline void logistic("):
        assert header.count(piece) == 1


REFUSED = {
    "one tagger, not one of members": ("xgboost-json", lambda members: MembersTagger(members)),
    "the same folds to be exported, not 3 by event and 3 by run,event": (
        "onnx",
        lambda members: MembersTagger([MembersTagger(members, folds=folds) for folds in (BY_EVENT, HASHED)]),
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_no_file_holds_is_refused_in_one_line(message, fishers):
    kind, build = REFUSED[message]
    with pytest.raises(ValueError, match=message) as caught:
        FORMATS[kind].writer_and_reader(kind, build(fishers))
    assert "\n" not in str(caught.value)


def test_a_member_that_no_format_holds_is_named(fishers, numbered, fitted):
    events = numbered()
    likelihood = fitted(Likelihood(), replace(events, features=np.nan_to_num(events.features)))
    with pytest.raises(ValueError, match=r"format=cpp holds networks, .*, not a LikelihoodTagger"):
        FORMATS["cpp"].writer_and_reader("cpp", MembersTagger([*fishers, likelihood]))


def test_members_that_declare_other_missing_values_are_refused(fishers, numbered, fitted):
    other = fitted(MODELS["fisher"], replace(numbered(), sentinels={"a": (-99.0,)}))
    with pytest.raises(ValueError, match="must declare the same missing values of 'a'"):
        FORMATS["onnx"].writer_and_reader("onnx", MembersTagger([*fishers, other]))


def test_declared_missing_values_are_recognised_for_every_member(numbered, fishers):
    events, tagger = numbered(size=30), MembersTagger(fishers, folds=BY_EVENT)
    features = np.where(np.isnan(events.features), np.float32(-99), events.features)
    assert (features == -99).any()
    with read("onnx", tagger) as score:
        scores = score(features, file_key(BY_EVENT, events))
    np.testing.assert_allclose(scores, tagger.scores(events), rtol=0, atol=1e-6)


USAGE = {
    "by event": {"onnx": '"event": event})[0]  # float32 [n, d], int64 [n]', "cpp": "tagger::score(x, event);"},
    "hashed": {
        "onnx": '"fold": fold})[0]  # float32 [n, d], int64 [n], the hash of run, event modulo 3',
        "cpp": "tagger::score(x, tagger::event_number({run, event}));",
    },
    "mean": {"onnx": '{"features": features})[0]  # float32 [n, d]', "cpp": "tagger::score(x);"},
}


@pytest.mark.parametrize("name", USAGE)
def test_the_lines_of_code_show_the_event_number(name, fishers):
    for kind, words in USAGE[name].items():
        assert words in FORMATS[kind].usage_lines(KINDS[name](fishers), "tagger", "here")[1]


def test_a_run_with_folds_is_exported_with_the_numbers_of_its_events(numbered, fishers):
    import onnx

    events = numbered(size=300)
    evaluation = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))
    train(events, MODELS["fisher"], Trainer(), evaluation, folder="run")
    MembersTagger(fishers, folds=HASHED).save("run/tagger")
    written = exported("run", Export(format="onnx"), events)
    assert (written.trial.key[:300] == file_key(HASHED, events)).all()
    notes = {each.key: json.loads(each.value) for each in onnx.load(written.path).metadata_props}
    assert (notes["folds"], notes["calibration"]) == (HASHED.to_dict(), [None] * 3)
    assert notes["events_compared"] == 300
