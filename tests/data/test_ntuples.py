"""Processes of files as one table, by way of the smallest format there is."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import numpy as np
import pytest

from hepclf.data.npz import NPZ
from hepclf.data.samples import Sample, SumOfWeights


def sample(name, class_=None, files=None, **settings):
    return Sample(name=name, class_=class_ or name, files=files or f"{name}*.npz", **settings)


def ntuples(*samples, features=("x",), cache=False, **settings):
    return NPZ(samples=samples, features=features, cache=cache, **settings)


@pytest.fixture
def files():
    """Two processes: two files with weights that sum to 6, in part negative, and one file whose weights sum to 2."""
    np.savez("tt1.npz", x=[1.0, 2, 3], w=[1.0, 1, -1], n=[1, 2, 3], sumw=4.0)
    np.savez("tt2.npz", x=[4.0, 5, 6], w=[2.0, 1, 2], n=[4, 5, 6], sumw=8.0)
    np.savez("dy1.npz", x=[7.0, 8, 9, 10], w=[0.5] * 4, n=[7, 8, 9, 10], sumw=2.0)


TT, DY = sample("tt", "signal"), sample("dy", "background")


def test_events_come_in_the_order_of_samples_and_files_with_the_class_of_their_sample(files):
    events = ntuples(TT, DY, spectators=("n",), weight="w").load()
    assert events.features.ravel().tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert events.classes == ("background", "signal")
    assert events.labels.tolist() == [1] * 6 + [0] * 4
    assert events.process_names == ("tt", "dy")
    assert events.processes.tolist() == [0] * 6 + [1] * 4
    assert events.spectators["n"].tolist() == list(range(1, 11))
    assert events.weights.tolist() == [1, 1, -1, 2, 1, 2, 0.5, 0.5, 0.5, 0.5]


def test_classes_take_the_order_of_their_setting_and_processes_share_them(files):
    events = ntuples(TT, DY, classes=("signal", "background")).load()
    assert events.labels.tolist() == [0] * 6 + [1] * 4
    events = ntuples(sample("tt", "top", "tt1.npz"), sample("other", "top", "tt2.npz"), sample("dy")).load()
    assert events.classes == ("top", "dy")
    assert events.labels.tolist() == [0] * 6 + [1] * 4
    assert events.processes.tolist() == [0] * 3 + [1] * 3 + [2] * 4


def test_a_luminosity_scales_each_sample_to_its_expected_yield_before_the_selection(files):
    # 10 /fb x 3 fb x 2 = 60 events, of which the weights 2, 1, 2 of 6 pass; 10 /fb x 0.2 pb = 2000, which all pass
    top, drell_yan = (
        sample("tt", "signal", cross_section_fb=3.0, k_factor=2.0),
        sample("dy", "background", cross_section_pb=0.2),
    )
    events = ntuples(top, drell_yan, weight="w", selection="x > 3", luminosity_fb=10.0).load()
    assert events.sums == pytest.approx({"signal": 50, "background": 2000})


@pytest.mark.parametrize(
    ("total", "yields"), [("events", 60), (30.0, 12), (SumOfWeights(branch="sumw"), 30)], ids=["events", "sum", "files"]
)
def test_the_sum_of_weights_is_that_of_the_entries_or_stated_or_kept_in_the_files(files, total, yields):
    top = sample("tt", "signal", cross_section_fb=6.0, sum_of_weights=total)
    drell_yan = sample("dy", "background", cross_section_fb=1.0)
    assert ntuples(top, drell_yan, weight="w", luminosity_fb=10.0).load().sums["signal"] == pytest.approx(yields)


def test_the_settings_of_a_sample_stand_before_those_of_the_loader(files):
    np.savez("a.npz", first=[[1.0], [2]], second=[[3.0], [4]])
    own = sample("own", files="a.npz", tree="second", weight="c0 * 2", selection="c0 > 3", max_events=2)
    events = ntuples(
        sample("a"), own, features=("c0",), tree="first", weight="c0", selection="c0 > 0", max_events=1
    ).load()
    assert events.features.ravel().tolist() == [1, 4]
    assert events.weights.tolist() == [1, 8]


def test_features_have_the_names_of_their_mapping_and_leading_objects_follow(files):
    np.savez("a.npz", x=[1.0, 2], jets=[[5.0, 4], [3.0, 2]])
    events = ntuples(sample("a"), sample("b", files="a.npz"), features={"twice": "2 * x"}, leading={"jets": 2}).load()
    assert events.names == ("twice", "jets_0", "jets_1")
    assert events.features[:2].tolist() == [[2, 5, 4], [4, 3, 2]]


def test_sentinels_are_missing_values_and_the_events_know_them(files):
    np.savez("a.npz", x=[1.0, -999, 3])
    events = ntuples(sample("a"), DY, missing=(-999,)).load()
    assert np.isnan(events.features[:3, 0]).tolist() == [False, True, False]
    assert events.sentinels == {"x": (-999,)}


def test_the_root_is_the_folder_that_relative_names_start_from(files, tmp_path, monkeypatch):
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert len(ntuples(TT, DY, root=str(tmp_path)).load()) == 10


def test_the_outline_is_known_without_a_file():
    outline = ntuples(TT, DY, features={"a": "x", "b": "y"}, spectators=("n",)).outline()
    assert (outline.classes, outline.processes) == (("background", "signal"), ("tt", "dy"))
    assert (outline.features, outline.spectators) == (("a", "b"), ("n",))
    assert outline.luminosity_fb is None


def test_origins_and_the_log_say_what_was_read_of_each_process(files, caplog):
    caplog.set_level(logging.INFO, logger="hepclf")
    events = ntuples(TT, DY, weight="w", selection="x > 4").load()
    assert [origin[:4] for origin in events.origins] == [("tt", 2, 6, 2), ("dy", 1, 4, 4)]
    assert caplog.messages == [
        "tt: 2 of 6 entries selected in 2 files, sum of weights 3",
        "dy: 4 of 4 entries selected in 1 files, sum of weights 2",
    ]


def test_progress_counts_the_entries_of_all_files(files):
    steps = []
    ntuples(TT, DY, chunk=1).load_watched(lambda done, total: steps.append((done, total)))
    assert steps == [(3, 10), (6, 10), (10, 10)]  # an .npz file is read whole


def test_a_bad_file_stops_the_run_or_is_left_out_with_its_normalisation(files):
    Path("tt2.npz").write_bytes(b"no zip")
    top, drell_yan = sample("tt", "signal", cross_section_fb=6.0), sample("dy", "background", cross_section_fb=1.0)
    settings = {"weight": "w", "luminosity_fb": 10.0}
    with pytest.raises(ValueError, match=r"tt2\.npz"):
        ntuples(top, drell_yan, **settings).load()
    events = ntuples(top, drell_yan, on_bad_file="skip", **settings).load()
    assert events.sums["signal"] == pytest.approx(60)
    assert events.features.ravel().tolist() == [1, 2, 3, 7, 8, 9, 10]
    assert "1 of 2 files cannot be read and are left out" in events.origins[0].notes[0]


def test_the_cache_holds_the_table_before_classes_and_yields(files):
    settings = {"weight": "w", "selection": "x > 1", "cache": "kept"}
    first = ntuples(TT, DY, **settings).load()
    scaled = [
        sample("top", "t", "tt*.npz", cross_section_fb=1.0, sum_of_weights=12.0),
        sample("drell", "z", "dy*.npz", cross_section_fb=2.0),
    ]
    second = ntuples(*scaled, chunk=2, luminosity_fb=5.0, **settings).load()
    assert len(list(Path("kept").rglob("entry.json"))) == 1
    assert np.array_equal(first.features, second.features)
    assert second.sums == pytest.approx({"t": 5 * 5 / 12, "z": 10})
    ntuples(TT, DY, **settings | {"selection": "x > 2"}).load()
    assert len(list(Path("kept").rglob("entry.json"))) == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinity mask")
@pytest.mark.parametrize(
    ("variable", "threads", "expected"), [("3,1", None, 3), ("64", None, 8), ("none", None, 8), ("3", 5, 5)]
)
def test_as_many_threads_decompress_as_this_process_may_use_or_as_the_setting_says(
    files, monkeypatch, variable, threads, expected
):
    seen = []

    class Noted(NPZ):
        def open(self, source, tree, pool):
            seen.append(pool._max_workers)
            return super().open(source, tree, pool)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    Noted(samples=(TT, DY), features=("x",), cache=False, threads=threads).load()
    assert seen == [expected] * 3


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"features": ()}, "features must name at least one, not none"),
        ({"features": ("x", "w", "x")}, "features must be different names, not 'x' twice"),
        ({"spectators": ("n", "n")}, "spectators must be different names, not 'n' twice"),
        ({"chunk": 0}, "chunk must be at least 1, not 0"),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"max_events": 0}, "max_events must be at least 1, not 0"),
        ({"luminosity_fb": 0.0}, "luminosity_fb must be above 0, not 0"),
        ({"luminosity_fb": float("inf")}, "luminosity_fb must be above 0, not inf"),
        ({"luminosity_fb": 1.0}, "sample 'tt' has no cross section, which luminosity_fb=1 needs"),
        ({"cache_gb": 0.0}, "cache_gb must be above 0"),
        ({"missing": {"y": (-1,)}}, "'y'"),
        ({"selection": "x > 6"}, "class 'signal' has no events: the selection 'x > 6' keeps none of its 6 entries"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(files, settings, error):
    with pytest.raises(ValueError, match=re.escape(error)):
        ntuples(TT, DY, **settings).load()


def test_a_class_of_files_without_entries_names_the_first_of_them(files):
    np.savez("empty.npz", x=np.empty(0))
    with pytest.raises(ValueError, match=r"^class 'e' has no events: its files, such as empty\.npz, hold no entries$"):
        ntuples(sample("e", files="empty.npz"), DY).load()


def test_a_process_without_selected_events_is_warned_of_where_its_class_has_others(files, caplog):
    events = ntuples(sample("a", "signal", "tt1.npz"), sample("b", "signal", "tt2.npz"), DY, selection="x > 3").load()
    assert [origin.selected for origin in events.origins] == [0, 3, 4]
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "a: 0 of 3 entries selected in 1 files, sum of weights 0")
    ]
