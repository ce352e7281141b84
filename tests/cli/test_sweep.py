from __future__ import annotations

from rich.console import Console

from hepclf.cli.sweep import SweepJob, summary
from hepclf.statistics.value import Value


def printed(*jobs):
    console = Console(record=True, width=80)
    summary(console, jobs)
    return console.export_text()


def job(named, valid, test, loss=0.4, **more):
    return SweepJob(named, "runs/x", Value(valid, 0.01), Value(test, 0.01), loss=Value(loss, 0.02), **more)


def test_folds_and_seeds_of_a_choice_are_averaged_and_other_choices_are_not():
    found = printed(
        job("model=mlp data.split.fold=0", 0.90, 0.91),
        job("model=mlp data.split.fold=1", 0.92, 0.95, loss=9.5),
        job("model=logistic data.split.fold=0", 0.80, 0.80),
    )
    rows = [line.split() for line in found.splitlines()]
    assert ["model=mlp", "2", "5.0", "±", "6.4", "0.910", "±", "0.014", "0.930", "±", "0.028"] in rows
    assert ["model=logistic", "1", "0.400", "±", "0.020", "0.800", "±", "0.010", "0.800", "±", "0.010"] in rows


def test_the_best_choice_is_that_of_validation_whatever_test_says():
    found = printed(job("model=mlp", 0.90, 0.99), job("model=logistic", 0.95, 0.80))
    assert "best on validation: model=logistic" in found


def test_seeds_alone_have_no_best():
    found = printed(job("seed=0", 0.90, 0.91), job("seed=1", 0.92, 0.93))
    assert "best" not in found
    assert "all" in found


def test_jobs_with_warnings_are_counted_and_say_so():
    poor = job("trainer.learning_rate=100", 0.9, 0.9, warnings=2)
    assert poor.line() == "trainer.learning_rate=100: AUC 0.900 ± 0.010, 2 warnings  runs/x"
    assert "1 of 2 jobs have warnings" in printed(job("seed=0", 0.9, 0.9), poor)
    assert "warnings" not in printed(job("seed=0", 0.9, 0.9))


def test_failed_jobs_are_counted():
    assert "1 of 2 jobs failed" in printed(job("seed=0", 0.9, 0.9), SweepJob("seed=1", "no events", failed=True))
    assert SweepJob("seed=1", "no events", failed=True).line() == "seed=1: failed  no events"
