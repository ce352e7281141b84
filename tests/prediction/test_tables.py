"""Text files and arrays are scored as ntuples are: what the loaders read, `predict` reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import uproot

from hepclf import CSV, NPZ, Evaluation, Logistic, Prediction, Sample, Trainer, load_tagger, predict, train
from hepclf.events import Events

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))

EVENTS = 900
FIRST = 2**60  # event numbers that float64 cannot tell apart
QUICK = {"trainer": Trainer(epochs=2), "evaluation": SCORES_ONLY}


def table(**changes):
    """Events of two classes, with -999.9 and an empty cell for what is missing, as a data frame."""
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, EVENTS)
    x, y = rng.normal(label, 1), rng.normal(size=EVENTS)
    x[rng.random(EVENTS) < 0.1] = -999.9
    y[rng.random(EVENTS) < 0.1] = np.nan
    columns = {"label": label, "x": x, "y": y, "n": rng.integers(0, 5, EVENTS), "event": np.arange(EVENTS) + FIRST}
    return pd.DataFrame({**columns, **changes})


@pytest.fixture
def trained():
    """A run on t.csv with derived features, a selection and sentinels."""
    table().to_csv("t.csv", index=False)
    data = CSV(
        files="t.csv",
        features={"x": "x", "sum": "x + y", "n": "n % 3"},
        selection="n > 0",
        missing=(-999.9, ""),
        spectators=("event",),
        cache=False,
    )
    found = train(data, Logistic(), **QUICK, folder="run")
    stored = uproot.open("run/scores.root")["scores"].arrays(["event", "score"], library="np")
    return SimpleNamespace(
        tagger=found.tagger, scores=dict(zip(stored["event"].tolist(), stored["score"], strict=True))
    )


def score(files, **settings):
    return predict("run", Prediction(files=files, **settings))


def compress():
    with gzip.open("u.csv.gz", "wb") as file:
        file.write(Path("t.csv").read_bytes())


def arrays():
    frame = table()
    np.savez("u.npz", **{name: frame[name].to_numpy() for name in frame})


def records():
    np.save("u.npy", table().to_records(index=False))


def tree():
    columns = {name: column.to_numpy() for name, column in table().items()}
    with uproot.recreate("u.root") as file:
        file.mktree("t", {name: column.dtype for name, column in columns.items()}).extend(columns)


def parquet():
    table().to_parquet("u.parquet", index=False)


def hdf5():
    import h5py

    with h5py.File("u.h5", "w") as file:
        file["t"] = table().to_records(index=False)


@pytest.mark.parametrize(
    ("write", "name", "kind"),
    [
        (compress, "u.csv.gz", "csv"),
        (arrays, "u.npz", "npz"),
        (records, "u.npy", "npz"),
        (tree, "u.root", "friend"),
        (parquet, "u.parquet", "parquet"),
        (hdf5, "u.h5", "npz"),
    ],
)
@pytest.mark.parametrize("chunk", [100, 100_000])
def test_each_format_has_the_scores_of_scores_root(trained, write, name, kind, chunk):
    write()
    (outcome,) = score(name, columns=("event",), output="csv", chunk=chunk)
    found = pd.read_csv(outcome.output)
    assert found["event"].dtype == np.int64
    assert found["event"].tolist() == table()["event"].tolist()
    selected = (table()["n"] > 0).to_numpy()
    assert (found["score"][~selected] == -1).all()
    expected = [trained.scores[event] for event in found["event"][selected]]
    assert found["score"][selected].tolist() == pytest.approx(expected, abs=1e-6)
    assert (outcome.entries, outcome.selected) == (EVENTS, selected.sum())
    (natural,) = score(name, out="natural")
    assert natural.kind == kind


def test_scores_are_read_back_as_they_were(trained):
    (text,) = score("t.csv", columns={"e": "event", "x": "x", "big": "n > 2"})
    (binary,) = score("t.csv", columns={"e": "event", "x": "x", "big": "n > 2"}, output="npz", out="out")
    found, expected = pd.read_csv(text.output), np.load(binary.output)
    assert list(found) == ["e", "x", "big", "score"]
    for name in found:
        values = found[name].to_numpy()
        assert np.array_equal(values, expected[name].astype(values.dtype), equal_nan=values.dtype.kind == "f")
    assert set(found["big"]) == {0, 1}


def test_blocks_are_read_in_order_and_once_and_hold_no_more_than_a_chunk(trained, monkeypatch):
    from hepclf.data import lines

    sizes = []
    stretches = lines.text_blocks

    def watched(layout, count):
        for stretch in stretches(layout, count):
            sizes.append(stretch.rows)
            yield stretch

    monkeypatch.setattr(lines, "text_blocks", watched)
    heard = []
    predict("run", Prediction(files="t.csv", chunk=100), tell=lambda done, of: heard.append((done, of)))
    assert heard == [(done, EVENTS) for done in range(100, EVENTS + 1, 100)]
    assert max(sizes) == 100
    assert len(sizes) <= 9 * 5 + 1  # to count and to type (n), when looked at and when scored; and the reading


def test_another_delimiter_and_no_header_are_those_of_the_run(trained):
    frame = table().drop(columns="event")
    frame.to_csv("s.dat", sep=";", index=False, header=False)
    data = CSV(
        files="s.dat", delimiter=";", header=False, columns=("label", "x", "y", "n"), missing=(-999.9, ""), cache=False
    )
    tagger = train(data, Logistic(), **QUICK, folder="other").tagger
    (outcome,) = predict("other", Prediction(files="s.dat"))
    expected = tagger.scores(data.load())
    assert pd.read_csv(outcome.output)["score"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    frame.drop(columns="label").to_csv("new.tsv", sep="\t", index=False, header=False)
    with pytest.raises(ValueError, match=r"^new\.tsv, row 1 must have 4 columns, as names has, not 1; check"):
        predict("other", Prediction(files="new.tsv"))
    (outcome,) = predict("other", Prediction(files="new.tsv", delimiter="\t", names=("x", "y", "n")))
    assert pd.read_csv(outcome.output)["score"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_run_on_ntuples_scores_tables(gaussians):
    events = gaussians(features=2, events=300)
    np.save("s.npy", events.features[events.labels == 1])
    np.save("b.npy", events.features[events.labels == 0])
    samples = tuple(Sample(name=name, class_=name, files=f"{name}.npy") for name in "bs")
    tagger = train(
        NPZ(samples=samples, columns=("p", "q"), features=("q", "p / 2"), cache=False),
        Logistic(),
        **QUICK,
        folder="run",
    ).tagger
    pd.DataFrame(events.features, columns=["p", "q"]).to_csv("new.tsv", sep="\t", index=False)
    np.save("new.npy", np.asfortranarray(events.features))
    inputs = np.column_stack([events.features[:, 1], events.features[:, 0] / 2])
    expected = tagger.scores(Events(features=inputs, names=tagger.inputs))
    for name in ("new.tsv", "new.npy"):
        (outcome,) = predict("run", Prediction(files=name, output="csv", out=name[-3:]))
        assert pd.read_csv(outcome.output)["score"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_quoted_line_breaks_empty_lines_and_empty_tables_keep_entry_for_entry(trained):
    text = 'note,x,y,n,event\n"a\nb",1,2,3,5\n\n"c ""d""",2,,4,6\r\n"e\n\n",3,1,1,7'
    Path("q.csv").write_bytes(text.encode())
    for chunk in (1, 2, 100):
        (outcome,) = score("q.csv", columns=("event",), chunk=chunk, overwrite=True)
        assert pd.read_csv(outcome.output)["event"].tolist() == [5, 6, 7]
    Path("none.csv").write_text("x,y,n,event\n")
    (outcome,) = score("none.csv", columns=("event",))
    assert outcome.entries == 0
    assert Path(outcome.output).read_text() == "event,score\n"


def test_whole_numbers_of_one_block_are_not_whole_where_another_has_fractions(trained):
    table(n=np.where(np.arange(EVENTS) < EVENTS - 1, 1.0, 1.5)).astype({"n": object}).to_csv("f.csv", index=False)
    Path("f.csv").write_text(Path("f.csv").read_text().replace(",1.0,", ",1,"))
    (outcome,) = score("f.csv", columns=("n",), chunk=100, output="npz")
    found = np.load(outcome.output)["n"]
    assert found.dtype == np.float64
    assert found[-1] == 1.5


MISTAKES = {
    "text": ("x,y,n\n1,2,3\n1,many,3\n", r"^m\.csv, row 3, column 'y': 'many' is not a number; mend it, or ignore"),
    "short": ("x,y,n\n1,2,3\n1,2\n", r"^m\.csv, row 3 must have 3 columns, as the header has, not 2"),
    "nothing": ("", r"^m\.csv holds nothing"),
    "column": ("x,z,n\n1,2,3\n", r"^m\.csv: .*column 'y' is not there"),
}


@pytest.mark.parametrize(("text", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_the_row_of_the_file(trained, text, says):
    Path("m.csv").write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        score("m.csv", chunk=1)
    assert "\n" not in str(error.value)
    assert not list(Path("run/predictions").glob("*"))


def test_a_truncated_archive_is_left_out_where_that_is_asked_for(trained):
    compress()
    Path("u.csv.gz").write_bytes(Path("u.csv.gz").read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"u\.csv\.gz"):
        score("u.csv.gz")
    found = score(("u.csv.gz", "t.csv"), on_bad_file="skip")
    assert [outcome.state for outcome in found] == ["bad", "written"]


def test_a_copy_of_a_table_is_refused_with_the_way_out(trained):
    with pytest.raises(ValueError, match=r"output=copy copies a tree of a ROOT file.* with columns=\[\.\.\.\]"):
        score("t.csv", output="copy")


def test_a_table_that_was_changed_by_hand_is_never_replaced(trained):
    (outcome,) = score("t.csv")
    notes = json.loads(Path(f"{outcome.output}.hepclf.json").read_text())
    assert (notes["entries"], notes["scores"]) == (EVENTS, ["score"])
    with outcome.output.open("a") as file:
        file.write("0.5\n")
    with pytest.raises(FileExistsError, match=r"t\.csv is there and .* was changed since; move it, or choose"):
        score("t.csv", overwrite=True)


def test_an_interrupted_writing_is_begun_again(trained, monkeypatch):
    (outcome,) = score("t.csv")
    before = outcome.output.read_bytes()

    replace = Path.replace

    def killed(path, target):
        if Path(target).suffix == ".csv":  # the notes are there, the table is not moved yet
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            score("t.csv", branch="p")
    (outcome,) = score("t.csv")
    assert outcome.output.read_bytes() == before


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="names are those of a file without header"):
        Prediction(files="a.csv", header=True, names=("x",))
    with pytest.raises(ValueError, match="delimiter must be one ASCII character"):
        Prediction(files="a.csv", delimiter=";;")


def test_the_tagger_itself_gives_these_scores(trained):
    (outcome,) = score("t.csv", selection=None)
    frame = table()
    x = frame["x"].where(frame["x"] != -999.9)
    features = np.column_stack([x, x + frame["y"], frame["n"] % 3]).astype(np.float32)
    tagger = load_tagger("run/tagger")
    expected = tagger.scores(Events(features=features, names=tagger.inputs))
    assert pd.read_csv(outcome.output)["score"].to_numpy() == pytest.approx(expected, abs=1e-6)
