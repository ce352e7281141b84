"""What the terminal says of a study, in 80 columns."""

from __future__ import annotations

import pytest
from rich.console import Console

from hepclf.cli.tune_tables import show_history, show_status, trial_line
from hepclf.lock import acquire
from hepclf.search.folder import StudyFolder
from hepclf.search.history import study_history
from hepclf.search.optimism import Optimism
from hepclf.search.sentences import _flattery, study_headline
from hepclf.search.space import Choice, Float, Space
from hepclf.search.trial import Trial
from hepclf.search.tuning import Tuning

SPACE = Space((Float(name="trainer.learning_rate", low=1e-4, high=1), Choice(name="model.hidden", options=([64, 64],))))
VALUES = {"trainer.learning_rate": 0.01234567, "model.hidden": [64, 64]}
COMPLETE = {"state": "complete", "objectives": (0.5,), "repeats": ((0.48,), (0.52,)), "values": VALUES}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of four trials, of which two are complete and one has failed."""
    monkeypatch.chdir(tmp_path)
    tuning = Tuning(trials=4, repeats=2)
    folder = StudyFolder.create(tmp_path / "study", words=(), tuning=tuning, space=SPACE, seed=0, defaults={})
    ends = [
        {"state": "complete", "objectives": (0.6,), "repeats": ((0.59,), (0.61,)), "is_default": True},
        dict(COMPLETE),
        {"state": "failed", "error": "ValueError: no", "values": VALUES},
        {"state": "running", "values": VALUES},
    ]
    for end in ends[:2]:
        end["errors"] = ((0.01,), (0.01,))
    for place, end in enumerate(ends):
        folder.trial(place).mkdir()
        Trial(number=place, **end).write(folder.trial(place))
    return folder


def printed(show, *arguments, width=80):
    console = Console(record=True, width=width)
    show(console, *arguments)
    return console.export_text()


def test_a_trial_is_a_line(study):
    lines = [trial_line(trial, study.tuning) for trial in study.trials()]
    settings = "trainer.learning_rate=0.01235 model.hidden=[64,64]"
    assert lines[0] == "trial 0 of 0-3: log-loss 0.6  the defaults"
    assert lines[1] == f"trial 1 of 0-3: log-loss 0.5  {settings}"
    assert lines[2] == f"trial 2 of 0-3: failed, ValueError: no  {settings}"


@pytest.mark.parametrize(("optimism", "words"), [(2.3e-06, "less than the last digit of the error"), (0.0123, "0.012")])
def test_the_optimism_has_the_digits_of_its_error(optimism, words):
    judged = Optimism(noise=0.001, error=0.014, optimism=optimism, best=0.574)
    assert _flattery(judged) == words


def test_the_best_trials_come_first_and_the_sentences_are_those_of_the_page(study):
    text = printed(show_history, study_history(study))
    rows = [line.split() for line in text.splitlines()]
    assert rows[:2] == [["the", "best", "trials"], ["trial", "log-loss", "settings"]]
    assert rows[2][0::4] == ["1", "learning_rate=0.01235"]
    assert rows[3][0::4] == ["0", "the"]
    words = " ".join(text.split())
    assert all(" ".join(sentence.split()) in words for sentence in study_headline(study_history(study)))
    assert max(map(len, text.splitlines())) <= 80
    assert "search study\n" in text
    assert "best.yaml" not in text  # there is none before the search has ended


@pytest.mark.parametrize("width", [80, 120])
def test_long_settings_are_folded_behind_their_trial_and_keep_every_letter(study, width):
    long_name = "susy_with_missing_energy_and_jets_" * 4
    Trial(number=1, **{**COMPLETE, "values": {**VALUES, "data": long_name}}).write(study.trial(1))
    text = printed(show_history, study_history(study), width=width)
    table = text.split("\n\n")[0].splitlines()[2:]
    starts = [line for line in table if line.split()[0].isdigit()]
    assert [line.split()[0] for line in starts] == ["1", "0"]
    place = table[0].index("learning_rate=")
    assert f"data={long_name}" in "".join(line[place:].rstrip() for line in table)
    assert all(line[:place].isspace() for line in table if line not in starts)
    assert max(map(len, table)) <= width


def test_the_status_tells_what_is_at_work_and_how_to_go_on(study):
    advice = f"continue with: hepclf tune resume {study.path}"
    text = printed(show_status, study_history(study), study)
    assert "The search is not finished: 3 of 4 trials have ended" in text
    assert "trial 3 was left by its worker\n" in text
    assert text.rstrip().endswith(advice)
    lock = acquire(study.trial(3))
    text = printed(show_status, study_history(study), study)
    lock.release()
    assert "trial 3 is at work\n" in text
    assert advice not in text


def test_the_status_names_what_cannot_be_read_and_what_becomes_of_it(study):
    for repeat in (0, 1):
        study.run(0, repeat).folder.mkdir()
        study.run(0, repeat).environment.write_text('{"status": "finished"}')
    assert "cannot be read" not in printed(show_status, study_history(study), study)
    study.run(0, 1).environment.write_text("{")
    study.run(0, 1).history.write_text("epoch,valid_loss\n1,")
    (study.trial(1) / "trial.json").write_text("{")
    text = printed(show_status, study_history(study), study)
    files = "1/environment.json, 1/history.csv"
    assert f"trial 0: {files} cannot be read; its result stays in trial.json\n" in text
    assert "trial 1: trial.json cannot be read; the next worker makes the trial again\n" in text
