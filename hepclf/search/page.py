"""The page of a study: its pictures and study.html in its folder, drawn at any time from what is there."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hepclf.files import write_bytes
from hepclf.presentation.page.page import Provenance
from hepclf.presentation.page.search import FinalTraining, search_page
from hepclf.presentation.plots.search.draw import draw_search
from hepclf.recipe import read_stored
from hepclf.run import Run
from hepclf.search.folder import StudyFolder
from hepclf.search.history import StudyHistory, study_history
from hepclf.search.importance import MIN_TRIALS, forest_importance, ranked_trials
from hepclf.search.sentences import error_note, failure_lines, study_headline
from hepclf.search.tables import ForestImportances, best_table, space_table, states_table, trial_table
from hepclf.words import number

PAGE, PLOTS = "study.html", "plots"
GROUPS = ("data", "model")  # whose choices make the title of a study


def write_page(path: Path) -> Path:
    """Draw a study, finished or not, and write study.html into its folder."""
    folder = StudyFolder.open(path)
    history = study_history(folder)
    importances, note = _importances(history)
    plots, page = folder.path / PLOTS, folder.path / PAGE
    title = study_title(folder)
    draw_search(trial_table(history, importances), plots, title=title)
    text = search_page(
        list(study_headline(history)),
        best_table(history),
        {"course": states_table(history), "space": space_table(history, default_values(history, folder))},
        {
            "best": [error_note(history)] if history.complete else [],
            "course": list(failure_lines(history)),
            "settings": [note] if note else [],
        },
        _final(history),
        _files(folder, history),
        plots,
        Provenance(
            title=title,
            label="",
            command=f"hepclf tune page {shlex.quote(str(_place(folder)))}",
            config=folder.file.read_text(encoding="utf-8"),
        ),
        folder=folder.path,
    )
    write_bytes(page, text.encode())
    return page


def study_title(folder: StudyFolder) -> str:
    """Data and model of a study, as far as its command line names them."""
    settings = dict(word.split("=", 1) for word in folder.words if "=" in word)
    chosen = ", ".join(settings[name] for name in GROUPS if name in settings)
    count = len(folder.space)
    searched = "1 setting" if count == 1 else f"{count} settings"
    return f"{chosen or folder.path.name}: search of {searched}"


def default_values(history: StudyHistory, folder: StudyFolder) -> dict[str, Any]:
    """The values of the parameters without the search; those outside of the space stand in the run of the defaults."""
    defaults = folder.defaults
    config = None if history.default is None else folder.run(history.default, 0).config
    stored = read_stored(config) if config is not None and config.is_file() else {}
    for parameter in history.space.parameters:
        value: Any = stored
        for name in parameter.key.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None and "." in parameter.key and history.space.present(parameter, defaults):
            defaults.setdefault(parameter.name, value)
    return defaults


def _place(folder: StudyFolder) -> Path:
    """The folder as seen from where the search was started."""
    is_below = folder.path.is_relative_to(folder.directory)
    return folder.path.relative_to(folder.directory) if is_below else folder.path


def _importances(history: StudyHistory) -> tuple[ForestImportances, str | None]:
    """The importance of the settings for each objective, or why there is none."""
    count = len(ranked_trials(history.trials))
    if count < MIN_TRIALS:
        return (), f"The importance of the settings needs {MIN_TRIALS} trials that are complete or pruned, not {count}."
    goals = enumerate(history.tuning.maximised)
    return [
        forest_importance(history.space, history.trials, place, maximised=maximised) for place, maximised in goals
    ], None


def _final(history: StudyHistory) -> FinalTraining | None:
    """What the final training came to on test."""
    run = history.final
    metrics = _metrics(run)
    if metrics is None:
        return None
    test = metrics.get("test") or {}
    area, loss = test.get("auc") or {}, test.get("log_loss")
    reached = [
        f"{name} {number(value, error)}"
        for name, value, error in (
            ("AUC", area.get("value"), area.get("error")),
            ("log-loss", loss, (test.get("errors") or {}).get("log_loss")),
        )
        if value is not None
    ]
    report = f"{run.folder.name}/{run.report.name}" if run.report.is_file() else None
    if not reached:
        return FinalTraining("The final training with the best settings has no test events.", report)
    return FinalTraining(f"The final training with the best settings reaches on test: {', '.join(reached)}.", report)


def _metrics(run: Run) -> Mapping[str, Any] | None:
    try:
        contents = json.loads(run.metrics.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet
        return None
    return contents if isinstance(contents, dict) else None


def _files(folder: StudyFolder, history: StudyHistory) -> dict[str, str]:
    places = {"the best settings, for hepclf train again=FILE": folder.best, "a row a trial": folder.table}
    front = {f"trial {number}, for hepclf train again=FILE": folder.front_file(number) for number in history.front}
    places |= front
    return {content: str(place.relative_to(folder.path)) for content, place in places.items() if place.is_file()}
