"""`hepclf predict run=DIR files=...`: score new files."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hepclf.cli.config import Composed, launch
from hepclf.cli.recipes import recipe_class
from hepclf.cli.terminal import Watch, results_console, section, short_path, show_warning_logs
from hepclf.recipe import RecipeError, build

if TYPE_CHECKING:
    from hepclf.prediction.plan import Predicted
    from hepclf.prediction.prediction import Prediction

MOST_LISTED = 20  # files; of more, only bad ones are listed


def run(arguments: list[str]) -> int:
    """Score the files, and print the outcome of each."""
    show_warning_logs()
    launch("predict", arguments, _predict)
    return 0


def _predict(composed: Composed) -> None:
    from hepclf.models.members import fold_columns
    from hepclf.prediction.predict import predict
    from hepclf.prediction.trained_files import trained_files
    from hepclf.run import Run

    values = composed.values
    prediction = _read(values)
    recipes = tuple(recipe_class(str(name), "trust", trusted=True) for name in values["trust"])
    watch, start = ScoringWatch(), time.monotonic()
    try:
        outcomes = predict(str(values["run"]), prediction, recipes=recipes, tell=watch.scored)
    finally:
        watch.close()
    console = results_console()
    show_predictions(console, outcomes, prediction, time.monotonic() - start)
    run = Run.open(str(values["run"]))
    if known := trained_files(run, [outcome.input for outcome in outcomes]):
        is_unseen = prediction.rule == "fold" and bool(fold_columns(run.tagger))
        _print_line(console, f"{len(known)} of {len(outcomes)} files were read for the training, {_meaning(is_unseen)}")


def _meaning(is_unseen: bool) -> str:
    """What it means that files were read for the training."""
    if is_unseen:
        return "and each of their events is scored by the member that has not seen it"
    return "so they do not test the tagger"


def _read(values: dict[str, Any]) -> Prediction:
    """The settings of the prediction, which are top-level keys of the command."""
    from hepclf.prediction.prediction import Prediction

    settings = {key: value for key, value in values.items() if key not in ("run", "trust")}
    if values["run"] == "???":
        raise RecipeError("run must be given; say run=DIR, the folder of a run, or run=runs/latest")
    try:
        prediction: Prediction = build(Prediction, settings, "predict")
    except RecipeError as error:
        raise RecipeError(str(error).replace("predict.", "")) from error
    return prediction


class ScoringWatch(Watch):
    """Progress of a scoring."""

    def scored(self, done: int, total: int) -> None:
        """Show how many entries of all files are scored."""
        rate = done / max(self._clock() - self._began, 1e-9)
        self._show("scoring", done, total, f"{rate:,.0f} events/s")


def show_predictions(console: Console, outcomes: Sequence[Predicted], prediction: Prediction, seconds: float) -> None:
    """Print the outcome of each file, or only of bad ones if there are many files, and how to read the first output."""
    folder = _common_folder(outcomes)
    bad = [outcome for outcome in outcomes if outcome.state == "bad"]
    listed = outcomes if len(outcomes) <= MOST_LISTED else bad
    rows = [
        [str(outcome.output.resolve().relative_to(folder)), *_counts([outcome]), outcome.state] for outcome in listed
    ]
    if len(outcomes) > 1:
        rows.append([f"{len(outcomes)} files", *_counts(outcomes), ""])
    section(console, "scores", ("", "events", "selected", ""), rows)
    written = [outcome for outcome in outcomes if outcome.state == "written"]
    entries = sum(outcome.entries for outcome in written)
    _print_line(console, f"{len(written)} of {len(outcomes)} files scored, {entries:,} events in {seconds:.1f} s")
    if earlier := sum(outcome.state == "there" for outcome in outcomes):
        _print_line(console, f"{earlier} of {len(outcomes)} files were there already")
    for outcome in bad:
        _print_line(console, f"left out: {outcome.reason}")
    readable = [outcome for outcome in outcomes if outcome.state != "bad"]
    if not readable:
        return
    _print_line(console, f"they are in {short_path(folder)}\n")
    for line in _usage(readable[0], prediction):
        _print_line(console, f"  {line}")


def _print_line(console: Console, line: str) -> None:
    """Print a line without wrapping or markup."""
    console.print(line, soft_wrap=True, markup=False)


def _counts(outcomes: Sequence[Predicted]) -> list[str]:
    entries = sum(outcome.entries for outcome in outcomes)
    selected = sum(outcome.selected for outcome in outcomes)
    return [f"{entries:,}", f"{selected:,}"]


def _common_folder(outcomes: Sequence[Predicted]) -> Path:
    return Path(os.path.commonpath([outcome.output.resolve().parent for outcome in outcomes]))


def _usage(outcome: Predicted, prediction: Prediction) -> list[str]:
    """The lines of code that read an output."""
    from hepclf.prediction.formats import is_tree

    path = short_path(outcome.output)
    match outcome.kind:
        case "friend":
            lines = [f'scores = uproot.open("{path}")["{prediction.friend}"].arrays()']
            if is_tree(outcome.input):
                lines.append(f'tree->AddFriend("{prediction.friend}", "{path}");')
            return lines
        case "copy":
            return [f'events = uproot.open("{path}")']
        case "parquet":
            return [f'scores = pandas.read_parquet("{path}")']
        case "npz":
            return [f'scores = numpy.load("{path}")']
        case "csv":
            return [f'scores = pandas.read_csv("{path}")']
