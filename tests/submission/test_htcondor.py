"""HTCondor without a pool: its own bindings read the submit file, and a stand-in runs it by the meaning of 85."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hepclf.recipe import describe
from hepclf.submission.htcondor import HTCondor
from hepclf.submission.outcome import outcomes
from hepclf.submission.submission import Submission

CONDOR_SUBMIT = """#!/bin/bash
# Stands in for `condor_submit -terse FILE`: runs each job until it ends other than with its checkpoint_exit_code.
value() { sed -n "s/^$1 = //p" "$file"; }
file=$2
elements=$(sed -n 's/^queue element from //p' "$file")
cd "$(value initialdir)"
number=0
while read -r element; do
    words=$(value arguments); words=${words//'$(ClusterId)'/77}; words=${words//'$(element)'/$element}
    code=$(value checkpoint_exit_code)
    while [ "$code" -eq "$(value checkpoint_exit_code)" ]; do
        code=0
        env -i PATH="$PATH" "$(value executable)" $words || code=$?
    done
    echo "77.$number $code" >> codes
    number=$((number + 1))
done < "$elements"
echo "77.0 - 77.$((number - 1))"
"""


@pytest.fixture
def condor(monkeypatch):
    """Stand-ins for condor_submit and condor_q on PATH; the queue is empty."""
    Path("bin").mkdir()
    for name, text in {"condor_submit": CONDOR_SUBMIT, "condor_q": "#!/bin/bash\n"}.items():
        (Path("bin") / name).write_text(text)
        (Path("bin") / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path('bin').resolve()}:{os.environ['PATH']}")


def written(batch, python, count=1, pack=1):
    tasks = [("predict", f"shard={number + 1}/{count}") for number in range(count)]
    submission = replace(Submission.new(Path("target"), tasks, describe(batch), pack), python=python)
    submission.write(batch.files(submission))
    return submission


def test_a_job_is_started_again_after_its_checkpoint(condor, stub):
    batch = HTCondor(cpus=1)
    submission = batch.submit(written(batch, stub(85, 85, 0, 0), count=2))
    assert submission.ids == ("77",)
    assert Path("codes").read_text() == "77.0 0\n77.1 0\n"
    assert len(Path("calls").read_text().splitlines()) == 4
    assert [outcome.state for outcome in outcomes(submission, *batch.queued([submission]))] == ["finished", "finished"]
    assert Submission.open(submission.folder) == submission


def test_checkpoints_end_with_the_last_restart(condor, stub):
    batch = HTCondor(cpus=1, max_requeues=1)
    submission = batch.submit(written(batch, stub(85, 85, 85)))
    assert Path("codes").read_text() == "77.0 1\n"
    (outcome,) = outcomes(submission, *batch.queued([submission]))
    assert outcome.state == "stopped"


def test_its_own_bindings_read_the_submit_files(stub):
    htcondor = pytest.importorskip("htcondor2", reason="the bindings of HTCondor are not installed")
    batch = HTCondor(gpus=2, memory_gb=1.5, check=True, extra=('+JobFlavour = "workday"',))
    submission = written(batch, stub(), count=3)
    job = htcondor.Submit((submission.folder / "job.sub").read_text())
    assert (job["request_gpus"], job["request_memory"], job["checkpoint_exit_code"]) == ("2", "1500", "85")
    assert job["executable"] == str(submission.folder / "job.sh")
    assert job["MY.JobFlavour"] == '"workday"'
    assert job.getQArgs() == f"element from {submission.folder}/elements.txt"
    assert (submission.folder / "elements.txt").read_text() == "0\n1\n2\n"
    assert htcondor.Submit((submission.folder / "check.sub").read_text())["arguments"] == "check"


def test_waiting_for_other_jobs_is_refused(condor, stub):
    batch = HTCondor()
    with pytest.raises(ValueError, match="after must be null with cluster=htcondor"):
        batch.submit(written(batch, stub()), ["12"])


def test_where_there_is_no_htcondor_it_is_said(stub, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    batch = HTCondor()
    with pytest.raises(OSError, match="there is no condor_submit on this machine"):
        batch.submit(written(batch, stub()))
