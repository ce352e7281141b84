"""`hepclf compare` on runs of a known content."""

from __future__ import annotations

import csv
import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import norm

from hepclf.cli.compare import _table
from hepclf.cli.completion import candidates
from hepclf.evaluation.evaluation import Evaluation, evaluate
from hepclf.evaluation.grid import Grid, number
from hepclf.evaluation.scored import Scored
from hepclf.evaluation.store import read_scores, write_scores
from hepclf.evaluation.studies.sculpting import Sculpting
from hepclf.recipe import describe
from hepclf.run import Run, write_json, write_yaml


@pytest.fixture
def made():
    """A function making the folder of a run whose tagger adds this much noise to the best score."""

    def make(folder, noise=0.0, model="mlp", seconds=None, events=0, device="cpu", seed=0, **changed):
        rng = np.random.default_rng(events)
        n = 1800
        labels = np.arange(n) % 2
        z = labels + rng.normal(size=n)
        scores = norm.cdf(z + noise * np.random.default_rng(5 + seed).normal(size=n) - 0.5)
        classes = changed.pop("classes", ("background", "signal"))
        columns = {"labels": labels, "scores": scores, "split": np.arange(n) // 2 % 3, "classes": classes}
        columns["spectators"] = {"mass": z**3} if "sculpting" in changed else {}
        evaluation = Evaluation(**{"plots": False, "minimum_background": 1.0} | changed)
        run = Run.at(folder)
        names = {"data": "toy", "model": model}
        settings = {"model": {"noise": noise}, "trainer": {"seed": seed}}
        write_yaml(run.config, {**settings, "evaluation": describe(evaluation), "names": names})
        timed = {"total": 99.0, "epochs": 1.5} if seconds is None else seconds
        write_json(run.environment, {"status": "finished", "error": None, "seconds": timed, "device": device})
        write_scores(run.scores, Scored(**columns))
        write_json(run.metrics, evaluate(Scored(**columns), evaluation).to_dict())
        run.tagger.mkdir()
        (run.tagger / "tagger.json").write_bytes(b"x" * 1000)
        (run.tagger / "weights").write_bytes(b"x" * 500)
        return run.folder

    return make


def rows(out):
    return [line.split() for line in out.splitlines() if line.strip()]


def contents(folder="o"):
    return json.loads((Path(folder) / "comparison.json").read_text())


def test_the_tables_say_what_the_runs_hold(hepclf, made):
    made("a", 1.0, "bdt", {"training": 12.4, "scoring": 0.5, "total": 50.0})
    made("b", 0.0, "mlp")
    code, out, err = hepclf("compare", "a", "b", "out=o", "plots=false")
    assert code == 0, err
    best, worse = contents()["runs"]
    assert (best["name"], worse["name"]) == ("mlp", "bdt")
    assert "AUC and significance, best on validation first" in out
    assert "test AUC less that of mlp" in out
    assert ["bdt", "12", "s", "1.5", "kB", "3,600", "events/s"] in rows(out)
    assert ["mlp", "1.5", "s", "1.5", "kB", "-"] in rows(out), "an older run knows its epochs and no scoring"
    quality = next(row for row in rows(out) if row[0] == "mlp")
    assert quality[1:5:3] == [f"{best['auc'][split]['value']:.3f}" for split in ("valid", "test")]
    (difference,) = contents()["differences"]
    printed = next(row for row in rows(out) if row[0] == "bdt" and row[-2:] == ["the", "same"])
    assert float(printed[1]) == pytest.approx(difference["value"]["value"], abs=1e-3)
    assert printed[4] == f"{difference['p']:.2g}"
    assert "Holm" not in out


def test_the_numbers_are_those_of_the_runs_own_verdicts(hepclf, made):
    folders = [made(name, noise) for name, noise in (("a", 0.5), ("b", 1.0), ("c", 0.2))]
    assert hepclf("compare", "a", "b", "c", "out=o", "plots=false")[0] == 0
    found = contents()
    assert [one["name"] for one in found["runs"]] == ["mlp noise=0.2", "mlp noise=0.5", "mlp noise=1.0"]
    assert found["reference_chosen_by"] == "validation AUC"
    for folder in folders:
        verdict = json.loads((folder / "metrics.json").read_text())
        (one,) = (one for one in found["runs"] if one["run"] == str(folder.resolve()))
        assert one["auc"]["test"]["value"] == pytest.approx(verdict["test"]["auc"]["value"], rel=1e-12)
        assert one["auc"]["test"]["error"] == pytest.approx(verdict["test"]["auc"]["error"], rel=1e-12)
        assert one["auc"]["valid"] == pytest.approx(verdict["valid"]["auc"])
        assert one["working_points"] == verdict["test"]["working_points"]
        assert one["significance"]["asimov"] == verdict["test"]["significance"]["asimov"]
    ps = [one["p"] for one in found["differences"]]
    assert [one["holm"] for one in found["differences"]] == [max(2 * min(ps), ps[0]), max(2 * min(ps), ps[1])]


def test_the_table_in_csv_and_the_curves_are_the_numbers_of_the_json(hepclf, made):
    made("a", 1.0, "bdt"), made("b")
    hepclf("compare", "a", "b", "out=o", "plots=false")
    with Path("o/comparison.csv").open() as file:
        table = list(csv.DictReader(file))
    for row, one in zip(table, contents()["runs"], strict=True):
        assert (row["name"], float(row["auc_test"])) == (one["name"], one["auc"]["test"]["value"])
        assert float(row["rejection_0.5"]) == one["working_points"][1]["rejection"]["value"]
    (difference,) = contents()["differences"]
    assert (float(table[1]["difference"]), float(table[1]["p"])) == (difference["value"]["value"], difference["p"])
    assert (table[0]["p"], table[1]["same_events"]) == ("", "True")
    with Path("o/curves.csv").open() as file:
        points = [row for row in csv.DictReader(file) if row["name"] == "mlp"]
    x, y = (np.array([float(point[f"{kind}_efficiency"]) for point in points]) for kind in ("signal", "background"))
    assert np.trapezoid(x, y) == pytest.approx(contents()["runs"][0]["auc"]["test"]["value"], abs=1e-12)


def test_a_comparison_leaves_a_whole_folder_with_pictures(hepclf, made):
    made("a", 1.0, "bdt"), made("b")
    code, out, _ = hepclf("compare", "a", "b")
    assert code == 0
    (folder,) = Path("comparisons").iterdir()
    assert f"written to {folder}" in out
    kept = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    pictures = [f"plots/{stem}.{kind}" for stem in ("rejection", "roc") for kind in ("pdf", "png")]
    files = ["comparison.csv", "comparison.json", "curves.csv", "environment.json", "report.html"]
    assert kept == sorted([*files, "plots/pictures.json", *pictures])
    assert json.loads((folder / "environment.json").read_text())["status"] == "finished"


def test_trainings_that_differ_in_their_seed_alone_have_a_spread(hepclf, made):
    # How a run was judged makes it no other training.
    folders = [made(f"r{seed}", noise=1.0, seed=seed, systematic=0.1 + 0.1 * seed) for seed in range(3)]
    code, out, err = hepclf("compare", *map(str, folders), str(made("other", noise=0.3)), "out=o")
    assert code == 0, err
    (found,) = contents()["repeated"]
    runs = {one["name"]: one["auc"]["test"] for one in contents()["runs"]}
    assert len(found["runs"]) == 3
    areas = [runs[name]["value"] for name in found["runs"]]
    assert found["auc"]["value"] == pytest.approx(statistics.mean(areas))
    assert found["auc"]["error"] == pytest.approx(statistics.stdev(areas) / math.sqrt(3))
    assert found["auc_deviation"]["value"] == pytest.approx(statistics.stdev(areas))
    errors = [runs[name]["error"] for name in found["runs"]]
    assert found["auc_own_error"] == pytest.approx(math.sqrt(statistics.mean(one**2 for one in errors)))
    assert "trainings that differ in seeds and folds alone" in out
    assert max(map(len, out.split("other  ")[0].splitlines())) <= 80
    assert Path("o/plots/spread.png").is_file()
    hepclf("compare", str(folders[0]), "other", "out=p")
    assert contents("p")["repeated"] == []
    assert not Path("p/plots/spread.png").exists()


def test_a_page_holds_the_tables_and_pictures_and_lets_nothing_run(hepclf, made):
    made("a", 0.0, "<script>alert(1)</script>")
    made("b", 1.0)
    code, out, err = hepclf("compare", "a", "b", "out=o")
    assert code == 0, err
    assert "report o/report.html" in " ".join(out.split())
    page = Path("o/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is the best on validation of 2" in page
    assert "mlp: worse on test by more than chance (p after Holm below 0.05)." in page
    assert "script-src 'none'" in page
    assert page.count("<img ") == 2
    best = contents()["runs"][0]["auc"]["test"]
    assert f"AUC {number(best['value'], best['error'])} on 600 test events".replace(" ± ", "\u00a0±\u00a0") in page
    for title in ("AUC and significance, best on validation first", "cost", "test AUC less that of &lt;script&gt;"):
        assert f"<figcaption>{title}" in page
    hepclf("compare", "a", "b", "out=p", "plots=false")
    assert "<img" not in Path("p/report.html").read_text(encoding="utf-8")


def test_json_is_all_that_is_printed(hepclf, made):
    made("a", 1.0, "bdt"), made("b")
    _, out, _ = hepclf("compare", "a", "b", "--json", "out=o", "plots=false")
    assert json.loads(out) == contents()


def test_the_same_run_twice_is_compared_once_and_said(hepclf, made):
    made("a", 1.0, "bdt"), made("b")
    Path("latest").symlink_to("b")
    code, _, err = hepclf("compare", "a", "b", "latest", "a/", "out=o", "plots=false")
    assert code == 0
    assert len(contents()["runs"]) == 2
    assert "latest is" in " ".join(err.split())
    code, _, err = hepclf("compare", "b", "latest")
    assert code == 2
    assert "a comparison needs two runs or more, however one run was given" in err


def test_runs_on_other_events_are_unpaired_and_said(hepclf, made):
    made("a", 1.0, "bdt"), made("b"), made("c", 0.5, "tree")
    made("d", 2.0, "other", events=6, working_points=(0.5,))
    # Labels, weights and places agree; only a column that is carried along tells the events apart.
    for name, seed in (("b", 0), ("d", 1)):
        path = Path(name) / "scores.root"
        scored = read_scores(path)
        columns = {k: getattr(scored, k) for k in ("labels", "scores", "split")}
        write_scores(path, Scored(**columns, spectators={"event": np.arange(len(scored)) + 10_000 * seed}))
    code, out, _ = hepclf("compare", "a", "b", "c", "d", "out=o", "plots=false")
    assert code == 0
    others = {one["name"]: one["other"] for one in contents()["differences"]}
    assert others == {"bdt": None, "tree": None, "other": "event"}
    unpaired = next(one for one in contents()["differences"] if one["other"])
    errors = {one["name"]: one["auc"]["test"]["error"] for one in contents()["runs"]}
    assert unpaired["value"]["error"] == pytest.approx(math.hypot(errors["mlp"], errors["other"]))
    assert "other (event)" in out
    assert "the two areas are taken as independent" in out
    assert "corrected for looking at 3 differences" in out


def test_what_makes_numbers_hard_to_compare_is_said(hepclf, made):
    (
        made("a", 1.0, "bdt", device="cuda"),
        made("b", systematic=0.3, plots=True),
        made("c", 2.0, "x", minimum_background=1e6),
    )
    _, out, _ = hepclf("compare", "a", "b", "c", "out=o", "plots=false")
    assert "significances by evaluations that differ in systematic, minimum_background" in out.splitlines()
    assert "times on different devices: cpu, cuda" in out
    assert "x: no significance, as no cut on validation keeps" in " ".join(out.split())


def test_tables_fit_80_columns_whatever_the_names(hepclf, made):
    made("a", 1.0, "a_model_with_quite_a_long_name_1"), made("b", 0.1, "a_model_with_quite_a_long_name_2")
    made("c", 0.11, "a_model_with_quite_a_long_name_2")
    _, out, _ = hepclf("compare", "a", "b", "c", "out=o", "plots=false")
    tables, _, listing = out.rpartition("\n\n")
    assert max(len(line) for line in tables.splitlines()) <= 80
    assert "a_model_with_quite_a_long_name_2 noise=0.1  b" in listing


def test_a_long_name_is_folded_before_any_number_is():
    console = Console(record=True, width=80)
    numbers = ["0.975612 ± 0.000011"] * 3
    _table(console, Grid("title", ("", "a", "b", "c"), [["a name of words that go on and on and on", *numbers]]))
    assert "  ".join(numbers) in console.export_text()


def test_taggers_that_rank_alike_have_no_p(hepclf, made):
    made("a"), made("b")
    _, out, _ = hepclf("compare", "a", "b", "out=o", "plots=false")
    assert contents()["differences"][0]["p"] is None
    assert "no p, as they rank the events alike" in out
    assert [one["name"] for one in contents()["runs"]] == ["mlp a", "mlp b"]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 2, "needs two runs or more, however none was given"),
        (["a"], 2, "needs two runs or more, however one run was given"),
        (["a", "nowhere"], 1, "there is no run nowhere"),
        (["a", "empty"], 1, "empty is not a run of hepclf: it holds no config.yaml"),
        (["a", "b", "ou=x"], 2, "ou is not a setting of compare; nearest: 'out'"),
        (["a", "b", "out="], 2, "out must not be empty; say out=..."),
        (["a", "b", "plots=maybe"], 2, "plots must be true or false, not 'maybe'"),
        (["a", "b", "--all"], 2, "--all is not a flag of compare; its settings are out=, plots=, json="),
        (["a", "b", "out=a"], 1, "a is not an empty folder"),
        (["a", "failed"], 1, "holds no scores to compare: its training is failed, ValueError: no events; leave it out"),
        (["a", "nameless"], 1, "names no data and model"),
        (["a", "classes"], 1, "must tell the same classes apart"),
        (["a", "signal"], 1, "must have the same evaluation.signal"),
        (["a", "torn"], 1, "metrics.json cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_refused_on_one_line(hepclf, made, words, code, line):
    made("a"), made("b", 1.0)
    Path("empty").mkdir()
    (made("failed") / "scores.root").unlink()
    write_json(Path("failed/environment.json"), {"status": "failed", "error": "ValueError: no events"})
    write_yaml(made("nameless") / "config.yaml", {"model": {}})
    made("classes", classes=("qcd", "top"))
    made("signal", signal="background")
    (made("torn") / "metrics.json").write_text("{")
    found, out, err = hepclf("compare", *words)
    assert (found, out) == (code, "")
    assert line in " ".join(err.split())
    assert len(err.splitlines()) == 1
    assert not Path("comparisons").exists()


def test_a_sweep_over_models_ends_with_their_comparison(hepclf):
    quick = ["data.signals=300", "data.noise=900", "trainer.epochs=1", "evaluation.plots=false"]
    code, out, err = hepclf("train", "-m", *quick, "model=fisher,logistic")
    assert code == 0, err
    assert "best on validation: model=" in out
    assert out.index("the sweep") < out.index("AUC and significance, best on validation first")
    (folder,) = Path("comparisons").iterdir()
    assert f"comparison in {folder}" in out
    found = contents(folder)
    assert {one["name"] for one in found["runs"]} == {"model=fisher", "model=logistic"}
    assert all(one["training_s"] > 0 and one["events_per_s"] > 0 for one in found["runs"])
    assert found["differences"][0]["other"] is None
    assert not (folder / "plots").exists()


def test_completion_offers_the_settings():
    assert candidates("hepclf compare ou") == ["out="]
    assert "compare" in candidates("hepclf c")


def test_sculpting_stands_beside_the_rejection_where_a_run_looked_for_it(hepclf, made):
    looked = {"sculpting": Sculpting(spectators=("mass",), bins=4)}
    for folder, noise, more in (("a", 0.0, looked), ("b", 3.0, looked), ("c", 0.5, {})):
        made(folder, noise, model=folder, **more)
    code, out, _ = hepclf("compare", "a", "b", "c", "out=o", "plots=false")
    assert code == 0
    title = "1/JSD of the background in mass on test at a signal efficiency of"
    lines = out.split(title)[1].strip().splitlines()
    assert rows(lines[0]) == [["0.3", "0.5", "0.7", "0.9"]]
    (best,), (cut,), (blurred,) = (rows(line) for line in lines[1:4])
    assert (best[0], cut[0], blurred[0]) == ("a", "c", "b")
    assert cut[1:] == ["-"] * 4
    found = {run["name"]: run["sculpting"] for run in contents()["runs"]}
    assert found["c"] == {}
    # The mass follows the best score; blurred, it does less.
    at = {name: found[name]["mass"][1] for name in "ab"}
    assert at["a"]["target"] == 0.5
    assert at["a"]["inverse_jsd"]["value"] < at["b"]["inverse_jsd"]["value"]
