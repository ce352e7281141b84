"""`hepclf compare` on runs of a known content."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
import socket
import statistics
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import norm

from hepclf.cli.completion import candidates
from hepclf.cli.grids import show_grids
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.files.store import read_scores, write_scores
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.files import read_yaml, write_json, write_yaml
from hepclf.recipe import describe
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.statistics.losses import log_loss
from hepclf.words import Grid, number


@pytest.fixture
def make_run(without_studies):
    """A function making the folder of a run whose tagger adds this much noise to the best score."""

    def make(folder, noise=0.0, model="mlp", seconds=None, events=0, device="cpu", seed=0, threads=None, **changed):
        rng = np.random.default_rng(events)
        n = 1800
        labels = np.arange(n) % 2
        z = labels + rng.normal(size=n)
        scores = norm.cdf(z + noise * np.random.default_rng(5 + seed).normal(size=n) - 0.5)
        classes = changed.pop("classes", ("background", "signal"))
        columns = {"labels": labels, "scores": scores, "split": np.arange(n) // 2 % 3, "classes": classes}
        columns["spectators"] = {"mass": z**3} if "sculpting" in changed else {}
        evaluation = Evaluation(**without_studies | {"plots": False, "minimum_background": 1.0} | changed)
        run = Run.create(folder)
        names = {"data": "toy", "model": model}
        settings = {
            "data": {"threads": threads, "seed": seed, "split": {"seed": seed}},
            "model": {"noise": noise},
            "trainer": {"device": device, "seed": seed},
        }
        write_yaml(run.config, {**settings, "evaluation": describe(evaluation), "names": names})
        timed = {"total": 99.0, "epochs": 1.5} if seconds is None else seconds
        write_json(run.environment, {"status": "finished", "error": None, "seconds": timed, "device": device})
        write_scores(run.scores, Scored(**columns))
        metrics = evaluate(Scored(**columns), evaluation).to_dict()
        loss = {"value": metrics["valid"]["log_loss"], "error": metrics["valid"]["errors"]["log_loss"]}
        write_json(run.metrics, metrics | {"valid": metrics["valid"] | {"log_loss_as_trained": loss}})
        run.tagger.mkdir()
        (run.tagger / "tagger.json").write_bytes(b"x" * 1000)
        (run.tagger / "weights").write_bytes(b"x" * 500)
        return run.folder

    return make


def rows(out):
    return [line.split() for line in out.splitlines() if line.strip()]


def contents(folder="o"):
    return json.loads((Path(folder) / "comparison.json").read_text())


def without_terms(page):
    """A page without the links of its terms, which divide sentences."""
    return re.sub(r'<a class="term"[^>]*>(.*?)</a>', r"\1", page)


def test_the_tables_say_what_the_runs_hold(hepclf, make_run):
    make_run("a", 1.0, "bdt", {"training": 12.4, "scoring": 0.5, "total": 50.0})
    folder = make_run("b", 0.0, "mlp")
    metrics = json.loads((folder / "metrics.json").read_text())
    write_json(folder / "metrics.json", {**metrics, "model": {"kept_epoch": 7}})
    code, out, err = hepclf("compare", "a", "b", "out=o", "plots=false")
    assert code == 0, err
    best, worse = contents()["runs"]
    assert (best["name"], worse["name"]) == ("mlp", "bdt")
    assert "log-loss and AUC ± statistical uncertainty, best on validation first" in out
    assert "test AUC minus that of mlp" in out
    assert ["bdt", "12", "s", "1.5", "kB", "3,600", "events/s"] in rows(out)
    assert ["mlp", "1.5", "s", "1.5", "kB", "-"] in rows(out), "an older run knows its epochs and no scoring"
    quality = next(row for row in rows(out) if row[0] == "mlp")
    measured = (best["log_loss"]["valid"], best["auc"]["valid"], best["auc"]["test"])
    assert quality[1:3] == ["7", f"{measured[0]['value']:.3f}"]
    assert quality[2::3] == [f"{value['value']:.3f}" for value in measured]
    assert measured[0] == metrics["valid"]["log_loss_as_trained"]
    assert (best["kept_epoch"], worse["kept_epoch"]) == (7, None)
    (difference,) = contents()["differences"]
    printed = rows(out.split("test AUC minus that of mlp")[1])[2]
    assert printed[0] == "bdt"
    assert float(printed[1]) == pytest.approx(difference["value"]["value"], abs=1e-3)
    assert printed[4] == f"{difference['p']:.2g}"
    assert "Holm" not in out


def test_the_numbers_are_those_of_the_runs_own_verdicts(hepclf, make_run):
    folders = [make_run(name, noise) for name, noise in (("a", 0.5), ("b", 1.0), ("c", 0.2))]
    assert hepclf("compare", "a", "b", "c", "out=o", "plots=false")[0] == 0
    comparison = contents()
    assert [run["name"] for run in comparison["runs"]] == ["mlp noise=0.2", "mlp noise=0.5", "mlp noise=1.0"]
    (sample,) = comparison["samples"]
    assert (sample["reference"], sample["reference_chosen_by"]) == ("mlp noise=0.2", "validation AUC")
    for folder in folders:
        results = json.loads((folder / "metrics.json").read_text())
        (run,) = (run for run in comparison["runs"] if run["run"] == str(folder.resolve()))
        assert run["auc"]["test"]["value"] == pytest.approx(results["test"]["auc"]["value"], rel=1e-12)
        assert run["auc"]["test"]["error"] == pytest.approx(results["test"]["auc"]["error"], rel=1e-12)
        assert run["auc"]["valid"] == pytest.approx(results["valid"]["auc"])
        assert run["working_points"] == results["test"]["working_points"]
        assert run["significance"]["asimov"] == results["test"]["significance"]["asimov"]
    ps = [run["p"] for run in comparison["differences"]]
    assert [run["holm"] for run in comparison["differences"]] == [max(2 * min(ps), ps[0]), max(2 * min(ps), ps[1])]


def test_the_table_in_csv_and_the_curves_are_the_numbers_of_the_json(hepclf, make_run):
    make_run("a", 1.0, "bdt"), make_run("b")
    hepclf("compare", "a", "b", "out=o", "plots=false")
    with Path("o/comparison.csv").open() as file:
        table = list(csv.DictReader(file))
    for row, run in zip(table, contents()["runs"], strict=True):
        assert (row["name"], float(row["auc_test"])) == (run["name"], run["auc"]["test"]["value"])
        assert float(row["rejection_0.5"]) == run["working_points"][1]["rejection"]["value"]
    (difference,) = contents()["differences"]
    assert (float(table[1]["difference"]), float(table[1]["p"])) == (difference["value"]["value"], difference["p"])
    assert (table[0]["p"], table[0]["reference"], table[1]["reference"]) == ("", "", "mlp")
    with Path("o/curves.csv").open() as file:
        points = [row for row in csv.DictReader(file) if row["name"] == "mlp"]
    x, y = (np.array([float(point[f"{kind}_efficiency"]) for point in points]) for kind in ("signal", "background"))
    assert np.trapezoid(x, y) == pytest.approx(contents()["runs"][0]["auc"]["test"]["value"], abs=1e-12)


def test_a_comparison_leaves_a_whole_folder_with_pictures(hepclf, make_run, sketched):
    make_run("a", 1.0, "bdt"), make_run("b")
    code, out, _ = hepclf("compare", "a", "b")
    assert code == 0
    (folder,) = Path("comparisons").iterdir()
    assert f"written to {folder}" in out
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    pictures = [f"plots/{stem}.{kind}" for stem in ("rejection", "roc") for kind in ("pdf", "png")]
    files = ["comparison.csv", "comparison.json", "curves.csv", "environment.json", "report.html"]
    assert written == sorted([*files, "plots/pictures.json", *pictures])
    assert json.loads((folder / "environment.json").read_text())["status"] == "finished"


def test_trainings_that_differ_in_their_seed_alone_have_a_spread(hepclf, make_run, sketched):
    # How a run was judged makes it no other training.
    folders = [make_run(f"r{seed}", noise=1.0, seed=seed, systematic=0.1 + 0.1 * seed) for seed in range(3)]
    code, out, err = hepclf("compare", *map(str, folders), str(make_run("other", noise=0.3)), "out=o")
    assert code == 0, err
    (group,) = contents()["repeated"]
    runs = {run["name"]: run["auc"]["test"] for run in contents()["runs"]}
    assert len(group["runs"]) == 3
    areas = [runs[name]["value"] for name in group["runs"]]
    assert group["auc"]["value"] == pytest.approx(statistics.mean(areas))
    assert group["auc"]["error"] == pytest.approx(statistics.stdev(areas) / math.sqrt(3))
    assert group["auc_deviation"]["value"] == pytest.approx(statistics.stdev(areas))
    errors = [runs[name]["error"] for name in group["runs"]]
    assert group["auc_own_error"] == pytest.approx(math.sqrt(statistics.mean(error**2 for error in errors)))
    assert "trainings that differ in seeds and folds alone" in out
    assert max(map(len, out.split("other  ")[0].splitlines())) <= 80
    assert Path("o/plots/spread.png").is_file()
    hepclf("compare", str(folders[0]), "other", "out=p")
    assert contents("p")["repeated"] == []
    assert not Path("p/plots/spread.png").exists()


def test_a_page_holds_the_tables_and_pictures_and_lets_nothing_run(hepclf, make_run, sketched):
    make_run("a", 0.0, "<script>alert(1)</script>")
    make_run("b", 1.0)
    code, out, err = hepclf("compare", "a", "b", "out=o")
    assert code == 0, err
    assert "report o/report.html" in " ".join(out.split())
    page = Path("o/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is the best on validation of 2" in page
    assert "mlp: significantly worse on test (p after Holm below 0.05)." in page
    assert "script-src 'none'" in page
    assert page.count("<img ") == 2
    best = contents()["runs"][0]["auc"]["test"]
    assert f"AUC {number(best['value'], best['error'])} on 600 test events".replace(
        " ± ", "\u00a0±\u00a0"
    ) in without_terms(page)
    for title in ("log-loss and AUC ± statistical uncertainty", "cost", "test AUC minus that of &lt;script&gt;"):
        assert f"<figcaption>{title}" in page
    hepclf("compare", "a", "b", "out=p", "plots=false")
    assert "<img" not in Path("p/report.html").read_text(encoding="utf-8")


def test_json_is_all_that_is_printed(hepclf, make_run):
    make_run("a", 1.0, "bdt"), make_run("b")
    _, out, _ = hepclf("compare", "a", "b", "--json", "out=o", "plots=false")
    assert json.loads(out) == contents()


def test_the_same_run_twice_is_compared_once_and_said(hepclf, make_run):
    make_run("a", 1.0, "bdt"), make_run("b")
    Path("latest").symlink_to("b")
    code, _, err = hepclf("compare", "a", "b", "latest", "a/", "out=o", "plots=false")
    assert code == 0
    assert len(contents()["runs"]) == 2
    assert "latest is" in " ".join(err.split())
    code, _, err = hepclf("compare", "b", "latest")
    assert code == 2
    assert "a comparison needs at least two runs, not 1" in err


def test_runs_on_other_events_are_not_ranked_against_each_other(hepclf, make_run, sketched):
    make_run("a", 1.0, "bdt"), make_run("b"), make_run("c", 0.5, "tree")
    make_run("d", 1.0, "bdt", events=6, seed=4), make_run("e", 0.0, "mlp", events=6, seed=4)
    # Labels, weights and places agree; only a column that is carried along tells the events apart.
    for name, seed in zip("abcde", (0, 0, 0, 1, 1), strict=True):
        path = Path(name) / "scores.root"
        scored = read_scores(path)
        columns = {k: getattr(scored, k) for k in ("labels", "scores", "split")}
        write_scores(path, Scored(**columns, spectators={"event": np.arange(len(scored)) + 10_000 * seed}))
    code, out, err = hepclf("compare", *"abcde", "out=o")
    assert code == 0, err
    comparison = contents()
    assert [(row["name"], row["differs_in"], row["reference"]) for row in comparison["samples"]] == [
        ("seed=0", None, "mlp seed=0"),
        ("seed=4", "event", "mlp seed=4"),
    ]
    assert [len(row["runs"]) for row in comparison["samples"]] == [3, 2]
    assert [(row["name"], row["reference"]) for row in comparison["differences"]] == [
        ("tree", "mlp seed=0"),
        ("bdt seed=0", "mlp seed=0"),
        ("bdt seed=4", "mlp seed=4"),
    ]
    plain = " ".join(out.split())
    assert (
        "The runs use 2 different sets of test events, which differ in event: they are ranked within each set" in plain
    )
    assert "corrected for 3 tests" in plain
    quality = out.split("AUC ± statistical uncertainty")[1].split("significance")[0]
    assert [row[0] for row in rows(quality)[2:]] == ["test", "mlp", "tree", "bdt", "test", "mlp", "bdt"]
    page = Path("o/report.html").read_text(encoding="utf-8")
    assert "On test events seed=4: mlp seed=4 is the best on validation of 2" in page
    assert sorted(path.stem for path in Path("o/plots").glob("*.png")) == [
        "rejection",
        "rejection_2",
        "roc",
        "roc_2",
        "spread",
    ]
    with Path("o/comparison.csv").open() as file:
        assert [row["sample"] for row in csv.DictReader(file)] == ["seed=0"] * 3 + ["seed=4"] * 2


def test_folds_trained_twice_count_once_and_their_copies_are_named(hepclf, make_run):
    folders = [make_run(f"r{seed}", noise=1.0, seed=seed) for seed in range(5)]
    hepclf("compare", *map(str, folders), "out=once", "plots=false")
    # Trained again elsewhere: another device, another number of threads, scores equal to rounding.
    for seed in range(5):
        folder = make_run(f"again{seed}", noise=1.0, seed=seed, device="cuda", threads=8)
        scored = read_scores(folder / "scores.root")
        columns = {k: getattr(scored, k) for k in ("labels", "split")}
        write_scores(folder / "scores.root", Scored(**columns, scores=scored.scores * (1 - 1e-9)))
        folders.append(folder)
    code, out, err = hepclf("compare", *map(str, folders), "out=twice", "plots=false")
    assert code == 0, err
    (once,), (twice,) = (contents(name)["repeated"] for name in ("once", "twice"))
    areas = [run["auc"]["test"]["value"] for run in contents("once")["runs"]]
    assert (twice["name"], len(twice["runs"])) == ("mlp", 5)
    assert twice["auc"]["value"] == pytest.approx(statistics.mean(areas))
    assert twice["auc"]["error"] == pytest.approx(statistics.stdev(areas) / math.sqrt(5))
    assert twice == once
    copied = {run["name"]: run["copy_of"] for run in contents("twice")["runs"] if run["copy_of"]}
    assert copied == {f"mlp seed={seed} (copy)": f"mlp seed={seed}" for seed in range(5)}
    line = "the same training (equal configuration and seed), counted once: mlp seed="
    assert line in " ".join(out.split())
    tested = [difference for difference in contents("twice")["differences"] if difference["p"] is not None]
    assert len(tested) == 4
    assert "corrected for 4 tests" in out
    page = " ".join(Path("twice/report.html").read_text(encoding="utf-8").split())
    assert "is the best on validation of 5:" in page
    mean = number(twice["auc"]["value"], twice["auc"]["error"])
    assert f"mlp: mean test AUC {mean} (error of the mean) over 5 seeds or folds." in without_terms(page)
    assert "standard deviation between trainings" in page
    assert "statistical uncertainty of one" in page
    assert line in page


def test_a_training_and_its_copy_are_no_two_models(hepclf, make_run):
    make_run("a", 1.0), make_run("b", 1.0, systematic=0.3)
    code, out, err = hepclf("compare", "a", "b", "out=o", "plots=false")
    assert code == 0, err
    (difference,) = contents()["differences"]
    assert (difference["p"], difference["reason"]) == (None, "it is the same training as mlp")
    assert contents()["repeated"] == []
    assert "not significantly different" not in Path("o/report.html").read_text(encoding="utf-8")
    assert "mlp is the only training" in Path("o/report.html").read_text(encoding="utf-8")
    plain = " ".join(out.split())
    assert "the same training (equal configuration and seed), counted once: mlp (copy) as mlp" in plain
    assert "test AUC minus" not in plain


def test_equal_configurations_on_other_data_are_no_copies(hepclf, make_run):
    # A file of the same name may have another content, and events in memory are in no configuration.
    for folder, seed in (("a", 0), ("b", 1)):
        scored = read_scores(make_run(folder, 1.0, events=seed) / "scores.root")
        columns = {k: getattr(scored, k) for k in ("labels", "scores", "split")}
        write_scores(f"{folder}/scores.root", Scored(**columns, spectators={"event": np.arange(len(scored)) + seed}))
    for folder, noise in (("c", 0.5), ("d", 0.9)):
        run = Run.open(make_run(folder, noise))
        config = {
            **read_yaml(run.config),
            "model": {},
            "data": {"events": "hepclf.events.Events, which is not a recipe"},
        }
        write_yaml(run.config, config)
    assert hepclf("compare", "a", "b", "c", "d", "out=o", "plots=false")[0] == 0
    assert [run["copy_of"] for run in contents()["runs"]] == [None] * 4


def test_a_group_of_seeds_is_called_by_what_they_share(hepclf, make_run):
    for noise, seeds in ((0.5, (0, 1)), (1.5, (2, 3))):
        for seed in seeds:
            make_run(f"n{noise}s{seed}", noise, seed=seed)
    folders = sorted(path.name for path in Path().iterdir())
    assert hepclf("compare", *folders, "out=o", "plots=false")[0] == 0
    assert [group["name"] for group in contents()["repeated"]] == ["mlp noise=0.5", "mlp noise=1.5"]


def test_what_cannot_be_compared_is_left_out_and_named(hepclf, make_run):
    make_run("a", 1.0, "bdt"), make_run("b")
    failure = ("failed", "failed", "ValueError: no events")
    for folder, status, error in (failure, ("runs", "running", None), ("killed", "running", None)):
        (make_run(folder) / "scores.root").unlink()
        write_json(Path(folder) / "environment.json", {"status": status, "error": error, "started": "2026-01-01"})
    shutil.rmtree("killed/lock")
    Path("killed/heartbeat").unlink()
    (make_run("scoreless") / "scores.root").unlink()
    (make_run("torn") / "metrics.json").write_text("{")
    (make_run("cut") / "scores.root").write_bytes(Path("a/scores.root").read_bytes()[:900])
    write_json(make_run("odd") / "metrics.json", {"test": {"significance": {"asimov": 3}}})
    write_yaml(make_run("nameless") / "config.yaml", {"model": {}})
    Path("sweeps").mkdir()
    Path("notes.txt").touch()
    Path("latest").symlink_to("gone")
    missing = [
        "failed",
        "runs",
        "killed",
        "scoreless",
        "torn",
        "cut",
        "odd",
        "nameless",
        "sweeps",
        "notes.txt",
        "latest",
    ]
    code, out, err = hepclf("compare", "a", *missing, "b", "out=o", "plots=false")
    assert code == 0, err
    assert [run["name"] for run in contents()["runs"]] == ["mlp", "bdt"]
    reasons = {Path(run["run"]).name: run["reason"] for run in contents()["left_out"]}
    assert set(reasons) == set(missing)
    assert reasons["failed"] == "failed: ValueError: no events"
    assert reasons["runs"].startswith("runs since 20")
    assert reasons["runs"].endswith(f"(process {os.getpid()} on {socket.gethostname()})")
    assert reasons["killed"] == "was killed; it was last alive at 2026-01-01"
    assert reasons["scoreless"] == "it holds no scores"
    assert "metrics.json cannot be read" in reasons["torn"]
    assert reasons["cut"].startswith("damaged: ")
    assert reasons["odd"].startswith("damaged: ")
    assert "names no data and model" in reasons["nameless"]
    assert reasons["sweeps"] == "not a run of hepclf: it holds no config.yaml"
    assert reasons["notes.txt"] == "a file, not the folder of a run"
    assert reasons["latest"] == "a link to nothing"
    for text in (out, Path("o/report.html").read_text(encoding="utf-8")):
        assert "left out: failed: failed: ValueError: no events" in " ".join(text.split())


def test_files_of_a_pattern_are_left_out_on_one_line(hepclf, make_run):
    make_run("a", 1.0, "bdt"), make_run("b")
    for index in range(7):
        Path(f"file{index}").touch()
    _, out, _ = hepclf("compare", "a", "b", *(f"file{index}" for index in range(7)), "out=o", "plots=false")
    assert "left out: file0, file1, file2 and 4 more: a file, not the folder of a run" in " ".join(out.split())


def test_what_makes_numbers_hard_to_compare_is_said(hepclf, make_run):
    (
        make_run("a", 1.0, "bdt", device="cuda"),
        make_run("b", systematic=0.3, plots=True),
        make_run("c", 2.0, "x", minimum_background=1e6),
    )
    _, out, _ = hepclf("compare", "a", "b", "c", "out=o", "plots=false")
    assert "significances by evaluations that differ in systematic, minimum_background" in out.splitlines()
    assert "times on different devices: cpu, cuda" in out
    assert "x: no significance, as no cut on validation keeps" in " ".join(out.split())


def test_tables_fit_80_columns_whatever_the_names(hepclf, make_run):
    make_run("a", 1.0, "a_model_with_quite_a_long_name_1"), make_run("b", 0.1, "a_model_with_quite_a_long_name_2")
    make_run("c", 0.11, "a_model_with_quite_a_long_name_2")
    _, out, _ = hepclf("compare", "a", "b", "c", "out=o", "plots=false")
    tables, _, listing = out.rpartition("\n\n")
    assert max(len(line) for line in tables.splitlines()) <= 80
    assert "a_model_with_quite_a_long_name_2 noise=0.1  b" in listing


def test_a_long_name_is_folded_before_any_number_is():
    console = Console(record=True, width=80)
    numbers = ["0.975612 ± 0.000011"] * 3
    show_grids(console, [Grid("title", ("", "a", "b", "c"), [["a name of words that go on and on and on", *numbers]])])
    assert "  ".join(numbers) in console.export_text()


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_name_has_the_same_letters_in_all_tables(width):
    console, name = Console(record=True, width=width), "a_data_set_whose_name_is_longer_than_its_column_of_the_table"
    grids = [Grid("title", ("", *"abc"[:count]), [[name, *["0.975612 ± 0.000011"] * count]]) for count in (1, 3)]
    show_grids(console, grids)
    lines = console.export_text().splitlines()
    assert len({line.split()[0] for line in lines if line.startswith("a_data")}) == 1
    assert max(map(len, lines)) <= width


def test_taggers_that_rank_alike_have_no_p(hepclf, make_run):
    make_run("a"), make_run("b", model="twin", seed=1)
    _, out, _ = hepclf("compare", "a", "b", "out=o", "plots=false")
    assert contents()["differences"][0]["p"] is None
    assert "no p, as they rank the events alike" in out
    assert [run["name"] for run in contents()["runs"]] == ["mlp", "twin"]


def test_a_rejection_without_background_is_a_limit_as_in_the_verdict(hepclf, make_run):
    make_run("a", working_points=(0.001, 0.5)), make_run("b", 1.0, "bdt", working_points=(0.001, 0.5))
    _, out, _ = hepclf("compare", "a", "b", "out=o", "plots=false")
    best = contents()["runs"][0]["working_points"][0]
    results = json.loads(Path("a/metrics.json").read_text())["test"]["working_points"][0]
    assert best == results
    assert best["rejection"]["value"] is None
    limit = best["rejection_limit"]["at_95"]
    assert limit == pytest.approx(300 / -math.log(0.05))
    assert f"> {limit:.4g} (95 %)" in out
    with Path("o/comparison.csv").open() as file:
        assert float(next(csv.DictReader(file))["rejection_0.001_limit_95"]) == limit


def test_a_loss_above_that_of_guessing_is_said(hepclf, make_run):
    make_run("a"), make_run("b", 0.1)
    # Too large a learning rate leaves an order of the events, and probabilities of 0 and 1 that are often wrong.
    path = Path("a/scores.root")
    scored = read_scores(path)
    columns = {k: getattr(scored, k) for k in ("labels", "split")}
    steep = Scored(**columns, scores=norm.cdf(10 * (scored.scores - 0.5)))
    write_scores(path, steep)
    metrics, valid = json.loads(Path("a/metrics.json").read_text()), steep.of("valid")
    metrics["valid"]["log_loss_as_trained"] = log_loss(valid.labels, valid.scores, valid.weights).to_dict()
    write_json(Path("a/metrics.json"), metrics)
    _, out, _ = hepclf("compare", "a", "b", "out=o", "plots=false")
    plain = " ".join(out.split())
    losses = {run["name"]: run["log_loss"]["valid"]["value"] for run in contents()["runs"]}
    assert losses["mlp noise=0.0"] > math.log(2) > losses["mlp noise=0.1"]
    assert (
        "mlp noise=0.0: its validation loss is above 0.6931, that of a random classifier; the training did not" in plain
    )
    assert "noise=0.1: its validation loss" not in plain


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 2, "needs at least two runs, not 0"),
        (["a"], 2, "needs at least two runs, not 1"),
        (["a", "nowhere"], 1, "there is no run nowhere"),
        (["a", "nowhere/*"], 1, "no run matches nowhere/*"),
        (["a", "empty"], 1, "not 1; left out: empty (not a run of hepclf: it holds no config.yaml)"),
        (["empty", "failed"], 1, "not 0; left out: empty"),
        (["a", "b", "ou=x"], 2, "ou is not a setting of compare; nearest: 'out'"),
        (["a", "b", "out="], 2, "out must not be empty; say out=..."),
        (["a", "b", "plots=maybe"], 2, "plots must be true or false, not 'maybe'"),
        (["a", "b", "--all"], 2, "--all is not a flag of compare; its settings are out=, plots=, json="),
        (["a", "b", "out=a"], 1, "a is not an empty folder"),
        (["a", "failed"], 1, "not 1; left out: failed (failed: ValueError: no events)"),
        (["a", "classes"], 1, "must have the same classes, not"),
        (["a", "signal"], 1, "must have the same evaluation.signal"),
    ],
)
def test_what_cannot_be_compared_is_refused_on_one_line(hepclf, make_run, words, code, line):
    make_run("a"), make_run("b", 1.0)
    Path("empty").mkdir()
    (make_run("failed") / "scores.root").unlink()
    write_json(Path("failed/environment.json"), {"status": "failed", "error": "ValueError: no events"})
    make_run("classes", classes=("qcd", "top"))
    make_run("signal", signal="background")
    exit_code, out, err = hepclf("compare", *words)
    assert (exit_code, out) == (code, "")
    assert line in " ".join(err.split())
    assert len(err.splitlines()) == 1
    assert not Path("comparisons").exists()


def test_a_sweep_over_models_ends_with_their_comparison(hepclf):
    quick = ["data.signals=300", "data.noise=900", "trainer.epochs=1", "evaluation.plots=false"]
    code, out, err = hepclf("train", "-m", *quick, "model=fisher,logistic")
    assert code == 0, err
    assert "best on validation: model=" in out
    assert out.index("the sweep") < out.index("AUC ± statistical uncertainty, best on validation first")
    (folder,) = Path("comparisons").iterdir()
    assert f"comparison in {folder}" in out
    comparison = contents(folder)
    assert {run["name"] for run in comparison["runs"]} == {"model=fisher", "model=logistic"}
    assert all(run["training_s"] > 0 and run["events_per_s"] > 0 for run in comparison["runs"])
    assert len(comparison["samples"]) == 1
    assert all(run["log_loss"]["valid"]["value"] > 0 for run in comparison["runs"])
    assert not (folder / "plots").exists()
    assert "No pictures were drawn, as plots=false was given" in (folder / "report.html").read_text()


def test_a_sweep_names_its_failed_jobs_in_its_comparison(hepclf):
    quick = ["data.signals=300", "data.noise=900", "trainer.epochs=1", "evaluation.plots=false", "model=logistic"]
    words = [
        *quick,
        "trainer.batch=64,128",
        "trainer.planing=null,nothing",
        "sweep.by=auc",
    ]  # no such spectator, told by the data
    code, out, err = hepclf("train", "-m", *words)
    assert code == 1, err
    (folder,) = Path("comparisons").iterdir()
    failed = contents(folder)["left_out"]
    assert [row["run"].split()[-1] for row in failed] == ["planing=nothing"] * 2
    assert all(row["reason"].startswith("failed: trainer.planing") for row in failed)
    assert "planing=nothing: failed: trainer.planing names" in " ".join(out.split())


def test_completion_offers_the_settings():
    assert candidates("hepclf compare ou") == ["out="]
    assert "compare" in candidates("hepclf c")


def test_sculpting_stands_beside_the_rejection_where_a_run_looked_for_it(hepclf, make_run):
    settings = {"sculpting": Sculpting(spectators=("mass",), bins=4)}
    for folder, noise, evaluation in (("a", 0.0, settings), ("b", 3.0, settings), ("c", 0.5, {})):
        make_run(folder, noise, model=folder, **evaluation)
    code, out, _ = hepclf("compare", "a", "b", "c", "out=o", "plots=false")
    assert code == 0
    title = "1/JSD of the background in mass on test ± statistical uncertainty, at a signal"
    lines = out.split(title)[1].split("efficiency of", 1)[1].strip().splitlines()
    assert rows(lines[0]) == [["0.3", "0.5", "0.7", "0.9"]]
    (best,), (cut,), (blurred,) = (rows(line) for line in lines[1:4])
    assert (best[0], cut[0], blurred[0]) == ("a", "c", "b")
    assert cut[1:] == ["-"] * 4
    sculpting = {run["name"]: run["sculpting"] for run in contents()["runs"]}
    assert sculpting["c"] == {}
    # The mass follows the best score; blurred, it does less.
    points = {name: sculpting[name]["mass"][1] for name in "ab"}
    assert points["a"]["target"] == 0.5
    assert points["a"]["inverse_jsd"]["value"] < points["b"]["inverse_jsd"]["value"]
