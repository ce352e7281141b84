"""`hepclf predict run=DIR files=...`: score new files."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich.console import Console

from hepclf.cli import config as conf
from hepclf.cli.terminal import Watch, listen, output, place, section
from hepclf.recipe import RecipeError, build

if TYPE_CHECKING:
    from hepclf.prediction.plan import Predicted
    from hepclf.prediction.prediction import Prediction

SHOWN = 20  # files that are listed one by one


def run(arguments: list[str]) -> int:
    """Score the files, and say what became of them."""
    listen()
    conf.launch("predict", arguments, _predict)
    return 0


def _predict(config: DictConfig) -> None:
    from hepclf.prediction.predict import predict

    values = conf.plain(config)
    prediction = _read(values)
    recipes = tuple(conf.recipe_class(str(name), "trust", trusted=True) for name in values["trust"])
    watch, began = Scoring(), time.monotonic()
    try:
        found = predict(str(values["run"]), prediction, recipes=recipes, tell=watch.scored)
    finally:
        watch.close()
    show(output(), found, prediction, time.monotonic() - began)


def _read(values: dict[str, Any]) -> Prediction:
    """The settings of a command, which are not in a group of their own."""
    from hepclf.prediction.prediction import Prediction

    settings = {key: value for key, value in values.items() if key not in ("run", "trust")}
    if values["run"] == "???":
        raise RecipeError("run must be given; say run=DIR, the folder of a run, or run=runs/latest")
    try:
        prediction: Prediction = build(Prediction, settings, "predict")
    except RecipeError as error:
        raise RecipeError(str(error).replace("predict.", "")) from error
    return prediction


class Scoring(Watch):
    """Progress of a scoring."""

    def scored(self, done: int, of: int) -> None:
        """So many of the entries of all files are scored."""
        rate = done / max(time.monotonic() - self._began, 1e-9)
        self._show("scoring", done, of, f"{rate:,.0f} events/s")


def show(console: Console, found: Sequence[Predicted], prediction: Prediction, seconds: float) -> None:
    """Print what became of each file, or of all where they are many, and how to read the first."""
    folder = _common(found)
    listed = found if len(found) <= SHOWN else [each for each in found if each.state == "bad"]
    rows = [[str(each.output.resolve().relative_to(folder)), *_counts([each]), each.state] for each in listed]
    if len(found) > 1:
        rows.append([f"{len(found)} files", *_counts(found), ""])
    section(console, "scores", ("", "events", "selected", ""), rows)
    written = [each for each in found if each.state == "written"]
    entries = sum(each.entries for each in written)
    say(console, f"{len(written)} of {len(found)} files scored, {entries:,} events in {seconds:.1f} s")
    if already := sum(each.state == "there" for each in found):
        say(console, f"{already} of {len(found)} files were there already")
    for each in found:
        if each.state == "bad":
            say(console, f"left out: {each.reason}")
    whole = [each for each in found if each.state != "bad"]
    if not whole:
        return
    say(console, f"they are in {place(folder)}\n")
    for line in _way(whole[0], prediction):
        say(console, f"  {line}")


def say(console: Console, line: str) -> None:
    """Print a line as it is."""
    console.print(line, soft_wrap=True, markup=False)


def _counts(found: Sequence[Predicted]) -> list[str]:
    return [f"{sum(each.entries for each in found):,}", f"{sum(each.selected for each in found):,}"]


def _common(found: Sequence[Predicted]) -> Path:
    return Path(os.path.commonpath([each.output.resolve().parent for each in found]))


def _way(first: Predicted, prediction: Prediction) -> list[str]:
    """How the first output is read back."""
    from hepclf.prediction.formats import is_tree

    path = place(first.output)
    match first.kind:
        case "friend":
            lines = [f'scores = uproot.open("{path}")["{prediction.friend}"].arrays()']
            return [*lines, f'tree->AddFriend("{prediction.friend}", "{path}");'] if is_tree(first.input) else lines
        case "copy":
            return [f'events = uproot.open("{path}")']
        case "parquet":
            return [f'scores = pandas.read_parquet("{path}")']
        case "npz":
            return [f'scores = numpy.load("{path}")']
        case "csv":
            return [f'scores = pandas.read_csv("{path}")']
