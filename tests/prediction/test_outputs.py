"""What is there already: left, replaced or refused, and never half written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import uproot

from hepclf import Evaluation, Logistic, Prediction, Trainer, predict, train
from hepclf.data.samples import Source
from hepclf.prediction.plan import output_paths, shard_slice

SCORES_ONLY = Evaluation(plots=False, report=False, **dict.fromkeys(Evaluation().study_settings))

QUICK = Trainer(epochs=1)


def states(found):
    return [outcome.state for outcome in found]


@pytest.mark.parametrize("output", ["friend", "copy", "parquet", "npz", "csv"])
def test_what_is_there_is_left_as_it_is(score_files, output):
    first = score_files(output=output)
    kept = first[1].output.read_bytes()
    first[0].output.unlink()
    second = score_files(output=output)
    assert states(second) == ["written", "there", "there", "there"]
    assert second[1].output.read_bytes() == kept
    assert [outcome[3:] for outcome in second] == [outcome[3:] for outcome in first]
    assert states(score_files(output=output, overwrite=True)) == ["written"] * 4


@pytest.mark.parametrize(
    "settings", [{"fill": 0.0}, {"columns": ("event",)}, {"branch": "p"}, {"selection": None}, {"friend": "t"}]
)
def test_another_setting_writes_anew(lab, score_files, settings):
    score_files(str(lab.files[0]))
    assert states(score_files(str(lab.files[0]), **settings)) == ["written"]


def test_how_it_is_computed_does_not_write_anew(lab, score_files):
    score_files(str(lab.files[0]))
    assert states(score_files(str(lab.files[0]), chunk=7, workers=2, device="cpu")) == ["there"]


def test_a_file_that_changed_is_scored_anew(score_files, ntuple, friend):
    ntuple("new.root", 1)
    score_files("new.root")
    ntuple("new.root", 2)
    (outcome,) = score_files("new.root", columns=())
    assert outcome.state == "written"
    assert states(score_files("new.root")) == ["there"]


def test_another_tagger_scores_anew(gaussians):
    np.savez("new.npz", x0=np.zeros(3))
    prediction = Prediction(files="new.npz", output="npz", out="out")
    scores = []
    for seed in (0, 1):
        train(gaussians(features=1, seed=seed), Logistic(), QUICK, SCORES_ONLY, folder=f"run{seed}")
        assert states(predict(f"run{seed}", prediction)) == ["written"]
        assert states(predict(f"run{seed}", prediction)) == ["there"]
        scores.append(np.load("out/new.npz")["score"][0])
    assert scores[0] != scores[1]


def test_scores_of_another_file_are_replaced_on_demand_alone(lab, score_files):
    score_files(str(lab.files[0]))
    with pytest.raises(FileExistsError, match=r"out/f1\.root holds the scores of .*dy/f1\.root; choose another out"):
        score_files(str(lab.files[2]))
    assert states(score_files(str(lab.files[2]), overwrite=True)) == ["written"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("output", "name"),
    [("friend", "f1.root"), ("parquet", "f1.parquet"), ("npz", "f1.npz"), ("csv", "f1.csv")],
)
def test_what_is_not_ours_is_never_replaced(lab, score_files, output, name, overwrite):
    Path("out").mkdir()
    Path("out", name).write_text("my thesis")
    with pytest.raises(FileExistsError, match=f"{name} is there and was not written by hepclf predict; move it"):
        score_files(str(lab.files[0]), output=output, overwrite=overwrite)
    assert Path("out", name).read_text() == "my thesis"


def test_an_input_is_never_replaced(score_files, ntuple):
    ntuple("new.root", 1)
    with pytest.raises(ValueError, match=r"would replace .*new\.root, which is an input; choose another out"):
        score_files("new.root", out=".", overwrite=True)


def test_files_lie_as_deep_as_below_their_common_folder(tmp_path):
    sources = [Source(name, None) for name in ("a/b/x.root", "a/c/x.root", "a/../a/y.root")]
    assert output_paths(sources, Path("out"), [".npz"] * 3) == [
        Path("out/b/x.npz"),
        Path("out/c/x.npz"),
        Path("out/y.npz"),
    ]
    assert output_paths(sources[:1], Path("out"), [".root"]) == [Path("out/x.root")]
    servers = [Source(f"root://eos//store/{name}", None) for name in ("a/x.root", "b/x.root")]
    assert output_paths(servers, Path("out"), [".root"] * 2) == [Path("out/a/x.root"), Path("out/b/x.root")]


def test_files_whose_scores_would_collide_are_refused():
    with pytest.raises(ValueError, match=r"scores of .*/x\.root and of .*/x\.npz would both be out/x\.parquet"):
        output_paths([Source("x.root", None), Source("x.npz", None)], Path("out"), [".parquet"] * 2)
    with pytest.raises(ValueError, match="each with an out=DIR of its own"):
        output_paths([Source("x.root", "t"), Source("x.root", "u")], Path("out"), [".root"] * 2)


def test_shards_take_each_file_once():
    files = list(range(11))
    found = [files[shard_slice(f"{i}/4")] for i in range(1, 5)]
    assert sorted(chain.from_iterable(found)) == files
    assert files[shard_slice(None)] == files


@pytest.mark.parametrize("shard", ["0/4", "5/4", "1", "1/0", "-1/4", "a/b", "1/4/2"])
def test_a_shard_that_is_none_is_refused(shard):
    with pytest.raises(ValueError, match=f"shard must be i/N with i from 1 to N, not {shard};"):
        shard_slice(shard)


SLOW = """
import sys, time
from hepclf import Evaluation, Logistic, Prediction, Trainer, predict, train
from hepclf.cli.main import _terminated
import signal
signal.signal(signal.SIGTERM, _terminated)

def tell(done, of):
    print(done, flush=True)
    time.sleep(60)

if __name__ == "__main__":
    run, files, workers = sys.argv[1:]
    predict(run, Prediction(files=files, out="out", chunk=100, workers=int(workers)), tell=tell)
"""


@pytest.mark.parametrize(
    ("how", "workers"),
    [(signal.SIGKILL, 1), (signal.SIGTERM, 2), pytest.param(signal.SIGTERM, 1, marks=pytest.mark.slow)],
)
def test_a_job_that_is_ended_leaves_nothing_half_written_and_the_next_one_resumes(lab, score_files, how, workers):
    Path("slow.py").write_text(SLOW)
    files = f"{lab.folder}/ntuples/*/*.root"
    words = [sys.executable, "slow.py", str(lab.run), files, str(workers)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as job:
        assert job.stdout.readline().strip() == "100"
        job.send_signal(how)
        job.wait(30)
    left = [path for path in Path("out").rglob("*") if path.is_file()]
    assert all(path.suffix == ".part" for path in left if path.name.startswith("."))
    if how == signal.SIGTERM:
        assert [path for path in left if path.name.startswith(".")] == []
    elif workers == 1:
        assert len(left) == 1
    found = score_files()
    assert len(found) == 4
    assert all(uproot.open(outcome.output)["scores"].num_entries == 400 for outcome in found)
    assert list(Path("out").rglob(".*")) == []


def test_workers_of_a_job_that_was_killed_end_too(lab):
    Path("slow.py").write_text(SLOW)
    words = [sys.executable, "slow.py", str(lab.run), f"{lab.folder}/ntuples/*/*.root", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as job:
        job.stdout.readline()
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        job.kill()
    assert len(children) >= 2
    deadline = time.monotonic() + 30
    while alive := [pid for pid in children if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
    assert list(Path("out").rglob(".*.part")) == []
