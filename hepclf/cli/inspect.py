"""`hepclf inspect data=...`: the contents of a dataset."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hepclf.cli.config import Composed, launch
from hepclf.cli.recipes import refuse_unknown, seed_of
from hepclf.cli.surveyed import show_survey
from hepclf.cli.terminal import Watch, results_console, short_path, show_warning_logs
from hepclf.recipe import RecipeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hepclf.data.loader import Loader
    from hepclf.events import Events
    from hepclf.survey.survey import Survey

KEYS = ("data", "seed", "plots", "json")


def run(arguments: list[str]) -> int:
    """Print the classes, processes and features of a dataset, and warnings about them."""
    show_warning_logs()
    words = ["json=true" if word == "--json" else word for word in arguments]
    launch("inspect", words, _inspect)
    return 0


def _inspect(composed: Composed) -> None:
    values = composed.values
    refuse_unknown(values, KEYS)
    if not isinstance(values["json"], bool):
        raise RecipeError(f"json must be true or false, not {values['json']!r}")
    plots = None
    if values["plots"] is not None:
        plots = Path(str(values["plots"])).expanduser()
    loader = composed.recipe(values.get("data"), "data", seed=seed_of(values))
    watch = Watch()
    try:
        survey = _survey(loader, watch, shapes=plots is not None)
        if plots is not None:
            watch.stage("drawing")
            _draw(survey, plots, composed.chosen("data").get("data", ""))
    finally:
        watch.close()
    if values["json"]:
        print(json.dumps(survey.to_dict(), indent=2, allow_nan=False))
        return
    console = results_console()
    show_survey(console, survey)
    if plots is not None:
        console.print(f"plots  {short_path(plots)}", soft_wrap=True, markup=False)


def _survey(loader: Loader, watch: Watch, *, shapes: bool) -> Survey:
    from hepclf.data.loader import load
    from hepclf.data.titles import check_titles, titles
    from hepclf.survey.survey import survey

    watch.stage("loading")
    events = load(loader, watch.read)
    watch.stage("measuring")
    parts, obstacles = _parts(loader, events)
    check_titles(loader, (*events.names, *events.spectators))
    luminosity: Any = getattr(loader, "luminosity_fb", None)
    summary = survey(events, parts, luminosity_fb=luminosity, shapes=shapes, obstacles=obstacles)
    return replace(summary, titles=titles(loader))


def _parts(loader: Loader, events: Events) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """The split of the events; the reason if there is none."""
    try:
        return loader.split.parts(events), ()
    except (ValueError, IndexError) as error:
        return None, (str(error),)


def _draw(survey: Survey, folder: Path, title: str) -> None:
    from hepclf.presentation.plots.features import draw_features

    try:
        draw_features(survey, folder, title=title)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"plots={folder} cannot be written: {reason}; choose another folder") from error
