"""The engine's view of a study against the folders, which are the truth."""

from __future__ import annotations

import json
from dataclasses import replace

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from hepclf.search.folder import StudyFolder
from hepclf.search.history import study_history
from hepclf.search.ledger import FOLDER, NAME, Ledger
from hepclf.search.trial import Trial

COLUMNS = ("number", "state", "values", "params", "distributions", "intermediate_values", "user_attrs")


def told(study):
    """The trials in the journal, as plain Optuna reads them: as the dashboard would."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(study.journal)))
    return optuna.load_study(study_name=NAME, storage=storage).trials


def plain(trials):
    """What is compared of the trials: of the engine's own attributes those of the pruning."""
    rungs = [
        {name: value for name, value in row.system_attrs.items() if name.startswith("completed")} for row in trials
    ]
    return [({name: getattr(row, name) for name in COLUMNS}, rung) for row, rung in zip(trials, rungs, strict=True)]


def test_the_journal_tells_what_the_folders_hold(finished):
    trials, rows = finished.trials(), told(finished)
    assert [row.number for row in rows] == [trial.number for trial in trials] == list(range(12))
    assert {row.state.name.lower() for row in rows} == {trial.state for trial in trials} == {"complete", "pruned"}
    for row, trial in zip(rows, trials, strict=True):
        assert row.params == trial.values
        assert row.intermediate_values == trial.reported
        assert tuple(row.values) == (trial.objectives or (trial.last,))


@pytest.mark.parametrize(
    "damage", ["absent", "middle", "last line", "zeros", "unfinished", "empty", "text", "garbage", "bytes"]
)
def test_a_lost_journal_comes_back_from_the_folders(finished, damage):
    before, history = plain(told(finished)), study_history(finished)
    lines = finished.journal.read_bytes().splitlines(keepends=True)
    if damage == "absent":
        finished.journal.unlink()
    else:
        damaged = {
            "middle": [*lines[:20], b'{"op_code": 4, "dam\n', *lines[20:]],
            "last line": [*lines[:-1], lines[-1][:20] + b"\n"],
            "zeros": [*lines[:-1], b"\x00" * 40 + b"\n"],
            "unfinished": [*lines[:-1], lines[-1][:20]],
            "empty": [],
            "text": [b"this is no journal\n", b"at all\n"],
            "garbage": [b"garbage\n"],
            "bytes": [b"\x00\xff garbage"],
        }[damage]
        finished.journal.write_bytes(b"".join(damaged))
    Ledger(finished, 0)
    after = plain(told(finished))
    assert after == before
    assert study_history(finished) == history
    assert finished.journal.with_name("study.journal.damaged").exists() == (
        damage in ("middle", "zeros", "text", "garbage", "bytes")
    )


def test_a_result_that_was_written_and_not_told_is_told_once(make_study):
    study = make_study()
    request = Ledger(study, 0).ask(0, {"scaling": "standard"})
    trial = Trial(number=0, values=request.values, state="complete", repeats=((0.5,), (0.7,)), objectives=(0.6,))
    study.trial(0).mkdir()
    trial.write(study.trial(0))
    Ledger(study, 1)
    Ledger(study, 0).tell(trial)  # the worker itself, if it was only slow
    Ledger(study, 0)
    assert [(row.state, row.value) for row in told(study)] == [(TrialState.COMPLETE, 0.6)]


def test_a_lost_trial_is_told_as_failed_and_asked_again_with_its_values(make_study):
    study = make_study()
    values = Ledger(study, 0).ask(3, None).values
    again = Ledger(study, 1).ask(3, values)
    assert again.values == values
    rows = told(study)
    assert [row.state for row in rows] == [TrialState.FAIL, TrialState.RUNNING]
    assert rows[0].params == rows[1].params == values
    assert {row.user_attrs[FOLDER] for row in rows} == {"0003"}


def test_a_journal_that_is_removed_while_a_trial_runs_holds_it_at_the_end(make_study):
    study = make_study()
    ledger = Ledger(study, 0)
    request = ledger.ask(0, None)
    study.journal.unlink()
    assert request.is_poor(1, 0.5) is False
    trial = Trial(number=0, values=request.values, state="failed", error="ValueError: nothing")
    study.trial(0).mkdir()
    trial.write(study.trial(0))
    ledger.tell(trial)
    assert ledger.ask(1, None).values
    assert [row.state for row in told(study)] == [TrialState.FAIL, TrialState.RUNNING]


def test_a_journal_that_is_made_again_without_lost_trials_repeats_no_choice(make_study):
    study = make_study(sampler="random", trials=8)
    ledger, values = Ledger(study, 0), []
    for number in range(8):
        if number == 6:
            study.journal.unlink()  # and with it what was told of the workers that are lost
        values.append(ledger.ask(number, None).values)
        if number % 2:  # else its worker is lost, and another one asks for its place
            values[-1] = ledger.ask(number, values[-1]).values
        trial = Trial(number=number, values=values[-1], state="complete", repeats=((0.5,),), objectives=(0.5,))
        study.trial(number).mkdir()
        trial.write(study.trial(number))
        ledger.tell(trial)
    assert len({chosen["learning_rate"] for chosen in values}) == 8


def test_a_study_of_another_schema_is_refused(make_study):
    study = make_study()
    text = study.file.read_text()
    study.file.write_text(text.replace("schema: 1", "schema: 7"))
    with pytest.raises(ValueError, match="must have schema 1, not 7"):
        StudyFolder.open(study.path)


def test_a_damaged_record_of_a_trial_counts_as_none(finished):
    for text in ("", "{}", "[]", json.dumps({"schema": 1}), "{" * 100_000):
        (finished.trial(2) / "trial.json").write_text(text)
        assert Trial.read(finished.trial(2)) is None
    record = replace(finished.trials()[0], objectives=(float("nan"),))
    with pytest.raises(ValueError, match="not JSON compliant"):
        record.write(finished.trial(2))
