from __future__ import annotations

from pathlib import Path

from rich.console import Console

from hepclf.cli.sweep_tables import job_line, summary
from hepclf.statistics.value import Value
from hepclf.workflow.sweep_row import Row


def printed(*rows, by="log_loss"):
    console = Console(record=True, width=80)
    summary(console, rows, by)
    return console.export_text()


def varied(named):
    return dict(word.split("=") for word in named.split())


def job(named, valid, test, loss=0.4, **more):
    values = {"valid": Value(valid, 0.01), "test": Value(test, 0.01), "loss": Value(loss, 0.02)}
    return Row(0, varied(named), Path("runs/x"), "finished", **values, **more)


def failed(named, line):
    return Row(1, varied(named), Path("runs/y"), "failed", error=line)


def test_folds_and_seeds_of_a_choice_are_averaged_and_other_choices_are_not():
    found = printed(
        job("model=mlp data.split.fold=0", 0.90, 0.91),
        job("model=mlp data.split.fold=1", 0.92, 0.95, loss=9.5),
        job("model=logistic data.split.fold=0", 0.80, 0.80),
    )
    rows = [line.split() for line in found.splitlines()]
    assert ["model=mlp", "2", "5.0", "±", "6.4", "0.910", "±", "0.014", "0.930", "±", "0.028"] in rows
    assert ["model=logistic", "1", "0.400", "±", "0.020", "0.800", "±", "0.010", "0.800", "±", "0.010"] in rows


def test_long_settings_are_wrapped_between_words_and_shortened_within_80_columns():
    found = printed(
        job("trainer.batch=64 model.a_setting_with_a_long_name=standard", 0.9, 0.91),
        job("trainer.batch=64 model.a_setting_with_a_long_name=robust", 0.8, 0.81),
    )
    table = found.partition("best on validation")[0].splitlines()
    assert max(map(len, map(str.rstrip, table))) <= 80
    starts = [line.split()[0] for line in table if line[:1] not in ("", " ")]
    assert starts[2:] == [
        "batch=64",
        "a_setting_with…_name=standard",
        "batch=64",
        "a_setting_with…ng_name=robust",
    ]


def test_settings_stand_without_their_group_unless_two_have_one_name():
    table = printed(
        job("trainer.learning_rate=0.01 data.seed=1 trainer.seed=0", 0.9, 0.9),
        job("trainer.learning_rate=0.1 data.seed=1 trainer.seed=0", 0.9, 0.9),
    )
    for words in ("learning_rate=0.01 ", "\nlearning_rate=0.1 ", "data.seed=1", "trainer.seed=0"):
        assert words in table.partition("best on")[0]
    assert "best on validation: trainer.learning_rate=0.01 data.seed=1 trainer.seed=0  (" in table


def test_the_table_says_whether_a_spread_or_an_error_stands_behind_the_sign():
    line = "± of several jobs: their standard deviation; of one job: its statistical error"
    assert line in printed(job("seed=0", 0.90, 0.91), job("seed=1", 0.92, 0.93), job("model=mlp seed=0", 0.9, 0.9))
    assert line not in printed(job("model=bdt", 0.90, 0.91), job("model=mlp", 0.92, 0.93))


def test_the_best_choice_is_that_of_validation_whatever_test_says():
    found = printed(job("model=mlp", 0.90, 0.99), job("model=logistic", 0.95, 0.80))
    assert "best on validation: model=logistic" in found


def test_seeds_alone_have_no_best():
    found = printed(job("seed=0", 0.90, 0.91), job("seed=1", 0.92, 0.93))
    assert "best" not in found
    assert "all" in found


def test_jobs_with_warnings_are_counted_and_say_so():
    poor = job("trainer.learning_rate=100", 0.9, 0.9, warnings=2)
    assert job_line(poor) == "trainer.learning_rate=100: AUC 0.900 ± 0.010, 2 warnings  runs/x"
    assert "1 of 2 jobs have warnings" in printed(job("seed=0", 0.9, 0.9), poor)
    assert "warnings" not in printed(job("seed=0", 0.9, 0.9))


def test_the_kinds_of_warnings_are_counted_by_choice():
    few = [job(f"data.events=20 seed={seed}", 0.6, 0.6, warnings=2, kinds=("not_converged", "few")) for seed in (0, 1)]
    told = printed(*few, job("data.events=80 seed=0", 0.8, 0.8, warnings=1, kinds=("few",)))
    assert "3 of 3 jobs have warnings" in told
    lines = [line.strip() for line in told.splitlines()]
    for line in ("events=20: not_converged (2 jobs)", "events=20: few (2 jobs)", "events=80: few (1 job)"):
        assert line in lines


def test_choices_within_the_error_of_the_best_are_named():
    losses = {"a": 0.300, "b": 0.315, "c": 0.330}
    told = printed(*(job(f"model={name}", 0.9, 0.9, loss=loss) for name, loss in losses.items()))
    assert "best on validation: model=a  (log-loss 0.300 ± 0.020)\nwithin this error of the best: model=b\n" in told
    repeats = [
        job(f"model={name} seed={seed}", 0.9, 0.9, loss=losses[name] + seed / 1e3) for name in "ab" for seed in (0, 1)
    ]
    assert "within this error" not in printed(*repeats), "two jobs differ by less than their statistical error"
    many = [job(f"model={name}", 0.9, 0.9) for name in "abcdefg"]
    assert "within this error of the best: model=b, model=c, model=d, model=e and 2 more" in printed(*many)


def test_failed_jobs_are_counted():
    assert "1 of 2 jobs failed" in printed(job("seed=0", 0.9, 0.9), failed("seed=1", "no events"))
    assert job_line(failed("seed=1", "no events")) == "seed=1: failed  no events"


def test_the_best_is_chosen_by_the_number_that_is_asked_for_and_told_with_its_error():
    rows = [job("model=mlp", 0.90, 0.9, loss=0.3), job("model=bdt", 0.95, 0.9, loss=0.5)]
    assert "best on validation: model=mlp  (log-loss 0.300 ± 0.020)" in printed(*rows)
    assert "best on validation: model=bdt  (AUC 0.950 ± 0.010)" in printed(*rows, by="auc")


def test_the_table_has_the_best_thirty_first():
    rows = [job(f"trainer.batch={index}", 0.9, 0.9, loss=1 - index / 1000) for index in range(200)]
    lines = [line.split()[0] for line in printed(*rows).splitlines() if line.startswith("batch=")]
    assert lines == [f"batch={index}" for index in range(199, 169, -1)]
    assert "... 170 more in sweep.csv" in printed(*rows)


def test_jobs_that_are_not_finished_are_told_apart_from_those_that_others_train():
    rows = [job("seed=0", 0.9, 0.9), *(failed("seed=1", None)._replace(status=name) for name in ("lost", "running"))]
    assert "1 of 3 jobs are not finished" in printed(*rows)
    assert "1 of 3 jobs are trained by other processes" in printed(*rows)
