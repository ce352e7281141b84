"""The page of a study: its pictures and study.html in its folder; also a running study can have a page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hepclf.files import read_json, write_text
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
    notes = {"best": [], "course": list(failure_lines(history)), "settings": []}
    if history.complete:
        notes["best"].append(error_note(history))
    if note:
        notes["settings"].append(note)
    draw_search(trial_table(history, importances), plots, title=title)
    text = search_page(
        list(study_headline(history)),
        best_table(history),
        {"course": states_table(history), "space": space_table(history, default_values(history, folder))},
        notes,
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
    write_text(page, text)
    return page


def study_title(folder: StudyFolder) -> str:
    """Data and model of a study from its command line, and its number of settings."""
    settings = dict(word.split("=", 1) for word in folder.words if "=" in word)
    chosen = ", ".join(settings[name] for name in GROUPS if name in settings)
    count = len(folder.space)
    return f"{chosen or folder.path.name}: search of {count} {'setting' + 's' * (count != 1)}"


def default_values(history: StudyHistory, folder: StudyFolder) -> dict[str, Any]:
    """The values of the parameters without the search; those outside the space are read from the default trial."""
    defaults, stored = folder.defaults, {}
    if history.default is not None:
        config = folder.run(history.default, 0).config
        if config.is_file():
            stored = read_stored(config)
    for parameter in history.space.parameters:
        value: Any = stored
        for name in parameter.key.split("."):
            if not isinstance(value, Mapping):
                value = {}
            value = value.get(name)
        if value is not None and "." in parameter.key and history.space.present(parameter, defaults):
            defaults.setdefault(parameter.name, value)
    return defaults


def _place(folder: StudyFolder) -> Path:
    """The folder of the study, relative to the directory in which the search was started if it is below it."""
    if not folder.path.is_relative_to(folder.directory):
        return folder.path
    return folder.path.relative_to(folder.directory)


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
    """The results of the final training on test; None where it is not finished."""
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
    report = None
    if run.report.is_file():
        report = f"{run.folder.name}/{run.report.name}"
    if not reached:
        return FinalTraining("The final training with the best settings has no test events.", report)
    return FinalTraining(f"The final training with the best settings reaches on test: {', '.join(reached)}.", report)


def _metrics(run: Run) -> Mapping[str, Any] | None:
    try:
        contents = read_json(run.metrics)
    except (OSError, ValueError):  # not there yet
        return None
    if not isinstance(contents, dict):
        return None
    return contents


def _files(folder: StudyFolder, history: StudyHistory) -> dict[str, str]:
    places = {"the best settings, for hepclf train again=FILE": folder.best, "a row a trial": folder.table}
    front = {f"trial {number}, for hepclf train again=FILE": folder.front_file(number) for number in history.front}
    places |= front
    return {content: str(place.relative_to(folder.path)) for content, place in places.items() if place.is_file()}
