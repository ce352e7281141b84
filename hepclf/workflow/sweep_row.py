"""Row: the state of one job of a sweep, from its folder, and the best choice among many."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hepclf.files import read_json
from hepclf.run import Run
from hepclf.statistics.value import NOTHING, Value

REPEATS = ("seed", "data.split.fold")  # what only repeats a choice: jobs that differ in these alone belong together
WAITING = "waiting"

Setting = TypeVar("Setting")


class Row(NamedTuple):
    """One job: its values of the keys that vary, the folder and status of its run, and its results.

    status       that of the run, or waiting
    loss, valid  log-loss, with the weights of the training, and AUC on the validation set
    test         AUC on the test set
    seconds      of the whole training
    warnings     their number
    fitted       log-loss on the training set
    accuracy     fraction of right decisions on the test set
    kinds        the kinds of the warnings, each once
    """

    number: int
    varied: Mapping[str, str]
    folder: Path
    status: str
    loss: Value = NOTHING
    valid: Value = NOTHING
    test: Value = NOTHING
    seconds: float | None = None
    warnings: int = 0
    error: str | None = None
    fitted: Value = NOTHING
    accuracy: Value = NOTHING
    kinds: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """The settings that distinguish it."""
        return _named(self.varied) or "one job"

    @property
    def choice(self) -> str:
        """The chosen settings, without seeds and folds."""
        return _named(self._chosen) or "all"

    @property
    def short_choice(self) -> str:
        """The chosen settings for a table, without their groups where the last word is unique."""
        return _named(short_keys(self._chosen)) or "all"

    @property
    def short_name(self) -> str:
        """The settings that distinguish it, for a table."""
        return _named(short_keys(self.varied)) or "one job"

    @property
    def _chosen(self) -> dict[str, str]:
        return {key: value for key, value in self.varied.items() if key not in REPEATS}

    @property
    def is_finished(self) -> bool:
        """Whether it has results."""
        return self.status == "finished"

    def measure(self, by: str) -> Value:
        """The validation number that chooses."""
        return self.loss if by == "log_loss" else self.valid

    def to_dict(self) -> dict[str, Any]:
        """The outcome in plain values."""
        outcome: dict[str, Any] = {"status": self.status, "error": self.error, "seconds": self.seconds}
        if self.is_finished:
            outcome["valid"] = {"log_loss": self.loss.to_dict(), "auc": self.valid.to_dict()}
            outcome["test"] = {"auc": self.test.to_dict()}
            outcome["warnings"] = self.warnings
        return outcome

    @staticmethod
    def columns() -> list[str]:
        """The columns of sweep.csv that every sweep has."""
        numbers = ("valid_log_loss", "valid_auc", "test_auc")
        pairs = [column for name in numbers for column in (name, f"{name}_error")]
        return ["number", "folder", "status", *pairs, "seconds", "warnings", "error"]

    def cells(self, varied: Sequence[str]) -> list[Any]:
        """A row of sweep.csv."""
        numbers = [number for value in (self.loss, self.valid, self.test) for number in value]
        facts = [self.number, self.folder.name, self.status, *numbers, self.seconds, self.warnings, self.error]
        cells = (*facts, *(self.varied.get(key) for key in varied))
        return ["" if cell is None else cell for cell in cells]


class Choice(NamedTuple):
    """Jobs with the same settings and different seeds or folds."""

    name: str
    rows: tuple[Row, ...]

    @property
    def short_name(self) -> str:
        """Its name in a table."""
        return self.rows[0].short_choice

    def mean(self, by: str) -> float | None:
        """The mean of the choosing number over the repeats."""
        values = [value for row in self.rows if (value := row.measure(by).value) is not None]
        return statistics.mean(values) if values else None


def choices(rows: Sequence[Row], by: str) -> list[Choice]:
    """The choices with results, best on the validation set first; for equal ones the second number decides."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.is_finished:
            groups.setdefault(row.choice, []).append(row)
    second = "auc" if by == "log_loss" else "log_loss"
    finished = [Choice(name, tuple(group)) for name, group in groups.items()]
    return sorted(finished, key=lambda choice: (_rank(choice, by), _rank(choice, second)))


def read_row(run: Run, number: int, varied: Mapping[str, str], error_file: Path) -> Row:
    """The state of a job, from its run and from the file with its error."""
    status = run.status()
    name = WAITING if status.name == "unknown" else status.name
    row = Row(number, varied, run.folder, name)
    if status.name == "finished":
        return _with_results(row, run)
    if status.name == "running":  # an error beside it is that of an earlier attempt
        return row
    if status.name in ("failed", "stopped"):
        row = row._replace(error=status.reason)
    if (line := _error(error_file)) is not None:
        row = row._replace(status="failed", error=line)
    return row


def _with_results(row: Row, run: Run) -> Row:
    try:
        metrics = read_json(run.metrics)
        seconds = read_json(run.environment)["seconds"]["total"]
        valid, test = (metrics[name] for name in ("valid", "test"))
        loss = Value(**valid.get("log_loss_as_trained", NOTHING.to_dict()))
        warnings = len(metrics["warnings"])
        kinds = tuple(dict.fromkeys(str(row["kind"]) for row in metrics["warnings"]))
        row = row._replace(loss=loss, valid=Value(**valid["auc"]), test=Value(**test["auc"]))
        row = row._replace(
            fitted=_plain_value(metrics.get("train"), "log_loss"), accuracy=_plain_value(test, "accuracy")
        )
        return row._replace(seconds=seconds, warnings=warnings, kinds=kinds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return row._replace(status="failed", error=f"its files were changed and cannot be read: {error!r}")


def _plain_value(split: Mapping[str, Any] | None, name: str) -> Value:
    """A number of a split whose error stands in the mapping `errors`."""
    if split is None:
        return NOTHING
    return Value(split.get(name), (split.get("errors") or {}).get(name))


def _error(path: Path) -> str | None:
    try:
        return str(read_json(path)["error"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{path.name} cannot be read: {error!r}"


def _named(varied: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in varied.items())


def short_keys(varied: Mapping[str, Setting]) -> dict[str, Setting]:
    """Settings without their groups, if the last word of the key is unique."""
    words = [key.rpartition(".")[2] for key in varied]
    short: dict[str, Setting] = {}
    for key, word in zip(varied, words, strict=True):
        short[key if words.count(word) > 1 else word] = varied[key]
    return short


def _rank(choice: Choice, by: str) -> float:
    """Smaller is better; a choice without this number comes last."""
    mean = choice.mean(by)
    if mean is None:
        return float("inf")
    return mean if by == "log_loss" else -mean
