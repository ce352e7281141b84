from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.studies.multiclass import Multiclass
from hepclf.presentation.plots.multiclass import pictures as multiclass
from hepclf.presentation.plots.style import style

OTHERS = {field.name: None for field in fields(Evaluation) if hasattr(getattr(Evaluation(), field.name), "study")}


def alone(**settings):
    """The settings with no study but those named."""
    return Evaluation(**(OTHERS | settings))


@pytest.fixture
def scored(make_scored):
    """A function making scored events of several classes; neighbours are alike."""

    def make(classes=("light", "charm", "bottom", "tau"), n=3000, **columns):
        rng = np.random.default_rng(0)
        k = len(classes)
        labels = rng.integers(0, k, n)
        logits = rng.normal(size=(n, k)) - 0.7 * np.abs(np.arange(k) - labels[:, None])
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return make_scored(labels, scores, rng.lognormal(0, 0.4, n), rng.integers(0, 3, n), classes=classes, **columns)

    return make


def found(scored, **settings):
    return evaluate(scored, alone(multiclass=Multiclass(**settings))).studies["multiclass"]


def test_decisions_are_made_of_the_classes_by_weight(scored):
    events = scored()
    of, test = found(events), events.of("test")
    decided, weights = test.scores.argmax(axis=1), events.scaled_weights("test")
    shares, errors = of.shares
    for column in range(4):
        w, truth = weights[decided == column], test.labels[decided == column]
        for row in range(4):
            share = w[truth == row].sum() / w.sum()
            assert shares[row, column] == pytest.approx(share, rel=1e-12)
            error = np.sqrt((w**2 * ((truth == row) - share) ** 2).sum()) / w.sum()
            assert errors[row, column] == pytest.approx(error, rel=1e-9)
    assert of.cells.counts.sum() == len(test)


def test_the_hardest_pair_is_named(scored):
    of = found(scored())
    assert len(of.pairs) == 6
    assert of.sentences[0].startswith("The pair of classes with the lowest AUC is ")
    worst = min(of.pairs, key=lambda pair: pair.auc.value)
    assert worst.second - worst.first == 1
    assert of.areas[0][3] == of.areas[3][0]


def test_more_events_than_are_wanted_are_drawn_at_random_and_said_so(scored):
    events = scored(n=6000)
    few, every = found(events, events=1000), found(events)
    count = len(events.of("test"))
    assert few.sentences[1] == f"Pairs and averages use 1,000 of the {count:,} test events, drawn at random."
    assert few.averages.one_vs_one_macro.value == pytest.approx(every.averages.one_vs_one_macro.value, abs=0.04)
    assert few.averages.one_vs_one_macro.error > 1.2 * every.averages.one_vs_one_macro.error
    assert few.cells.counts.sum() == count


def test_two_classes_need_no_such_table(make_scored, drawn):
    labels, scores, weights = drawn(300)
    assert "multiclass" not in evaluate(make_scored(labels, scores, weights), alone(multiclass=Multiclass())).studies


@pytest.mark.parametrize("k", [3, 4, 8])
def test_the_tables_fit_a_terminal_and_the_numbers_are_plain(scored, k):
    of = found(scored(tuple(f"class{i}" for i in range(k))))
    for grid in of.tables:
        widths = [max(len(cell) for cell in column) for column in zip(grid.header, *grid.rows, strict=True)]
        assert sum(widths) + 2 * (len(widths) - 1) <= 80, grid.title
    plain = json.loads(json.dumps(of.to_dict()))
    assert len(plain["pairs"]) == k * (k - 1) / 2
    np.testing.assert_allclose(np.sum(plain["confusion_columns"]["value"], axis=0), 1)
    np.testing.assert_allclose(np.sum(plain["confusion_rows"], axis=1), 1)


@pytest.mark.parametrize("signal", ["$l_{", "b"])
def test_the_signal_is_drawn_against_each_other_class(scored, signal):
    results = evaluate(scored(("$l_{", "c", "b")), alone(signal=signal, multiclass=Multiclass()))
    of = results.studies["multiclass"]
    with style():
        decisions, pairs = multiclass(of, results, "title")
        for picture in (decisions, pairs):
            picture.figure.canvas.draw()
    lines = pairs.series[1:]
    assert len(lines) == 2
    place = of.classes.index(signal)
    for other, columns in lines:
        x, y = columns["efficiency"], 1 - 1 / columns["rejection"]
        assert (np.diff(x) >= 0).all()
        # What comes before the first event of the other class is not drawn: nothing of it is left.
        area = x[0] + np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)
        assert area == pytest.approx(of.areas[place][of.classes.index(other)].value, abs=2e-3)


def test_a_class_that_is_never_chosen_nor_there_is_no_accident(scored):
    events = scored()
    labels = np.where(events.labels == 3, 0, events.labels)
    scores = events.scores * np.array([1, 1, 1, 1e-9])
    changed = type(events)(
        **{**vars(events), "labels": labels, "scores": scores / scores.sum(axis=1, keepdims=True), "processes": labels}
    )
    results = evaluate(changed, alone(signal="bottom", multiclass=Multiclass()))
    of = results.studies["multiclass"]
    assert of.averages.one_vs_one_macro.value is None
    with style():
        for picture in multiclass(of, results, "title"):
            picture.figure.canvas.draw()
    assert results.to_dict()["studies"]["multiclass"]["confusion_columns"]["value"][0][3] is None


def test_too_few_events_are_refused():
    with pytest.raises(ValueError, match="events must be 1000 or more, not 10"):
        Multiclass(events=10)
