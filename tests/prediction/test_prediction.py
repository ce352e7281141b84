"""The scores are those of the tagger, entry for entry, not written and by however many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import uproot
import yaml

from hepclf import CSV, Evaluation, Events, Logistic, Prediction, Trainer, load_tagger, predict, train
from hepclf.data.root import Root
from hepclf.data.samples import Sample
from hepclf.training import threads

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))

QUICK = Trainer(epochs=1)


def test_a_friend_has_the_scores_of_the_tagger_entry_for_entry(lab, score_files, friend):
    found = score_files(columns=("event",))
    events = lab.data.load()
    direct = dict(zip(events.spectators["event"].tolist(), lab.tagger.scores(events), strict=True))
    for path, outcome in zip(lab.files, found, strict=True):
        parent = uproot.open(path)["Events"].arrays(["event", "Jet_pt"])
        scores = friend(outcome.output)
        assert scores["event"].dtype == np.uint64
        assert scores["event"].tolist() == parent["event"].tolist()
        for number, score, jets in zip(scores["event"].tolist(), scores["score"], parent["Jet_pt"], strict=True):
            assert score == (pytest.approx(direct[number], abs=1e-7) if len(jets) else -1)
        assert (outcome.state, outcome.entries) == ("written", 400)
        assert outcome.selected == (scores["score"] != -1).sum() < 400


def test_test_events_have_the_scores_of_the_training(lab, score_files, friend):
    stored = friend(lab.run / "scores.root")
    predicted = {}
    for outcome in score_files(columns=("event",)):
        scores = friend(outcome.output)
        predicted |= dict(zip(scores["event"].tolist(), scores["score"].tolist(), strict=True))
    test = stored["split"] == 2
    assert test.sum() > 200
    expected = stored["score"][test]
    assert [predicted[number] for number in stored["event"][test].tolist()] == pytest.approx(expected, abs=1e-6)


def test_three_classes_have_a_branch_each_that_sum_to_one(gaussians, friend):
    events = gaussians(classes=3)
    tagger = train(events, Logistic(), QUICK, SCORES_ONLY, folder="run").tagger
    columns = {name: events.features[:, i] for i, name in enumerate(events.names)}
    with uproot.recreate("new.root") as file:
        file.mktree("t", dict.fromkeys(columns, np.float32)).extend(columns)
    (outcome,) = predict("run", Prediction(files="new.root", branch="p"))
    found = friend(outcome.output)
    assert list(found) == ["p_class0", "p_class1", "p_class2"]
    scores = np.stack(list(found.values()), axis=1)
    assert scores == pytest.approx(tagger.scores(events), abs=1e-7)
    assert scores.sum(axis=1) == pytest.approx(1)


def test_the_selection_may_be_none_or_another(lab, score_files, friend):
    (every,) = score_files(str(lab.files[0]), selection=None)
    assert every.selected == every.entries == 400
    assert (friend(every.output)["score"] >= 0).all()
    (few,) = score_files(str(lab.files[0]), selection="trig", fill=-99.0)
    passes = uproot.open(lab.files[0])["Events"]["trig"].array(library="np")
    assert few.selected == passes.sum()
    scores = friend(few.output)["score"]
    assert (scores[~passes] == -99).all()
    assert np.array_equal(
        scores[passes], friend(score_files(str(lab.files[0]), selection=None)[0].output)["score"][passes]
    )


def test_a_selection_that_keeps_nothing_leaves_the_declared_value(lab, score_files, friend):
    (outcome,) = score_files(str(lab.files[0]), selection="MET > 1e6", fill=float("nan"))
    assert np.isnan(friend(outcome.output)["score"]).all()
    assert (outcome.entries, outcome.selected) == (400, 0)


def test_a_file_without_entries_has_a_friend_without_entries(score_files, ntuple, friend):
    ntuple("none.root", 0, events=0, pieces=1)
    (outcome,) = score_files("none.root", columns=("event",))
    assert outcome.entries == 0
    assert {name: len(column) for name, column in friend(outcome.output).items()} == {"event": 0, "score": 0}


def test_other_outputs_hold_the_same_columns(lab, score_files, friend):
    import pandas as pd

    (one,) = score_files(str(lab.files[3]), columns={"number": "event", "jets": "count(Jet_pt)"})
    expected = friend(one.output)
    assert list(expected) == ["number", "jets", "score"]
    (parquet,) = score_files(str(lab.files[3]), columns={"number": "event", "jets": "count(Jet_pt)"}, output="parquet")
    (npz,) = score_files(str(lab.files[3]), columns={"number": "event", "jets": "count(Jet_pt)"}, output="npz")
    assert (parquet.output.name, npz.output.name) == ("f2.parquet", "f2.npz")
    table, arrays = pd.read_parquet(parquet.output), np.load(npz.output)
    for name, column in expected.items():
        assert np.array_equal(table[name].to_numpy(), column)
        assert np.array_equal(arrays[name], column)
        assert arrays[name].dtype == table[name].dtype == column.dtype


def test_entries_are_scored_in_the_blocks_that_the_file_has(ntuple, score_files, friend):
    ntuple("long.root", 7, events=1000, pieces=20)
    heard = []
    (streamed,) = score_files("long.root", chunk=100, tell=lambda done, of: heard.append((done, of)))
    assert heard == [(done, 1000) for done in range(100, 1001, 100)]
    (whole,) = score_files("long.root", chunk=10_000, out="whole")
    assert friend(streamed.output)["score"] == pytest.approx(friend(whole.output)["score"], abs=1e-7)


@pytest.mark.parametrize("settings", [{"workers": 2}, {"shard": "1/2"}])
def test_workers_and_shards_make_what_one_worker_makes(lab, score_files, settings):
    one = score_files(output="npz", columns=("event",))
    heard = []
    found = score_files(
        output="npz", columns=("event",), out="other", tell=lambda *told: heard.append(told), **settings
    )
    if "shard" in settings:
        assert [Path(outcome.input) for outcome in found] == [lab.files[0], lab.files[2]]
        found = sorted(
            (*found, *score_files(output="npz", columns=("event",), out="other", shard="2/2")),
            key=lambda outcome: outcome.input,
        )
    else:
        assert max(heard) == (1600, 1600)
    assert [outcome.output.parts[-2:] for outcome in found] == [outcome.output.parts[-2:] for outcome in one]
    for ours, theirs in zip(found, one, strict=True):
        assert (ours.entries, ours.selected) == (theirs.entries, theirs.selected)
        a, b = np.load(ours.output), np.load(theirs.output)
        assert a.files == b.files
        assert all(np.array_equal(a[name], b[name]) for name in ("event", "score"))


def test_a_run_of_a_table_takes_columns_by_their_names(two_numbers, friend):
    tagger_inputs = yaml.safe_load((two_numbers / "tagger" / "tagger.json").read_text())["inputs"]
    values = np.random.default_rng(0).normal(size=(50, len(tagger_inputs))).astype(np.float32)
    with uproot.recreate("new.root") as file:
        columns = {name: values[:, i] for i, name in enumerate(tagger_inputs)}
        file.mktree("t", dict.fromkeys(columns, np.float32)).extend(columns)
    (outcome,) = predict(two_numbers, Prediction(files="new.root"))
    expected = load_tagger(two_numbers / "tagger").scores(Events(features=values, names=tuple(tagger_inputs)))
    assert friend(outcome.output)["score"] == pytest.approx(expected, abs=1e-7)
    assert outcome.output == two_numbers / "predictions" / "new.root"


def test_names_that_spell_an_expression_are_columns_where_the_run_had_such_columns(gaussians, friend):
    events = gaussians(features=2)
    odd = Events(features=events.features, labels=events.labels, names=("a-b", "b"))
    tagger = train(odd, Logistic(), QUICK, SCORES_ONLY, folder="run").tagger
    np.savez("new.npz", **{"a-b": events.features[:, 0], "b": events.features[:, 1], "a": np.zeros(len(events))})
    (outcome,) = predict("run", Prediction(files="new.npz", output="npz"))
    assert np.load(outcome.output)["score"] == pytest.approx(tagger.scores(odd), abs=1e-7)


def test_what_stood_for_a_missing_value_in_training_does_so_again(gaussians, friend):
    events = gaussians(features=2, events=500)
    rows = np.column_stack([events.labels, np.where(events.features < -1, -999.9, events.features.astype(float))])
    np.savetxt("table.csv", rows, delimiter=",", header="label,x,y", comments="", fmt="%.9g")
    data = CSV(files="table.csv", missing=(-999.9,))
    trained = train(data, Logistic(), QUICK, SCORES_ONLY, folder="run")
    with uproot.recreate("new.root") as file:
        file.mktree("t", {"x": np.float32, "y": np.float32}).extend({"x": rows[:, 1], "y": rows[:, 2]})
    (outcome,) = predict("run", Prediction(files="new.root"))
    assert friend(outcome.output)["score"] == pytest.approx(trained.tagger.scores(data.load()), abs=1e-6)


def test_the_same_entries_in_any_format_have_the_same_scores(tmp_path, gaussians):
    import h5py
    import pyarrow as pa
    import pyarrow.parquet

    events = gaussians(features=2, events=300)
    x, y = events.features.T
    with uproot.recreate("a.root") as file:
        file.mktree("t", {"x": np.float32, "y": np.float32}).extend({"x": x, "y": y})
    pa.parquet.write_table(pa.table({"x": x, "y": y}), "b.parquet")
    np.savez("c.npz", x=x, y=y)
    with h5py.File("d.h5", "w") as file:
        file["x"], file["y"] = x, y
    data = Root(
        samples=(Sample(name="s", class_="s", files="a.root"), Sample(name="b", class_="b", files="a.root")),
        features=("x / 2", "x + y"),
        tree="t",
        cache=False,
    )
    train(data, Logistic(), QUICK, SCORES_ONLY, folder="run")
    found = predict("run", Prediction(files=("a.root", "b.parquet", "c.npz", "d.h5"), output="npz"))
    scores = [np.load(outcome.output)["score"] for outcome in found]
    assert all(np.array_equal(outcome, scores[0]) for outcome in scores)


def test_a_warning_is_said_once_and_not_of_each_block(gaussians, caplog):
    train(gaussians(features=1), Logistic(), QUICK, SCORES_ONLY, folder="run")
    with uproot.recreate("new.root") as file:
        tree = file.mktree("t", {"x0": np.float32})
        for size in (50, 60, 70):
            tree.extend({"x0": np.full(size, np.nan)})
    predict("run", Prediction(files="new.root", chunk=50))
    assert caplog.text.count("'x0' is missing in") == 1


def test_scoring_keeps_to_the_cores_that_are_granted_and_leaves_the_number_as_it_was(lab, monkeypatch):
    before, seen = torch.get_num_threads(), set()

    def note(*_):
        seen.add(torch.get_num_threads())

    monkeypatch.setattr(threads, "cores", lambda: 2)
    torch.set_num_threads(3)
    try:
        predict(lab.run, Prediction(files=str(lab.files[0]), out="out"), tell=note)
        assert (seen, torch.get_num_threads()) == ({2}, 3)
    finally:
        torch.set_num_threads(before)
