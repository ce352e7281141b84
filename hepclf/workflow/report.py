"""The page and the card of a run: the description of its origin, and where they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label
from hepclf.files import read_json, read_yaml, write_text, yaml_text
from hepclf.models.tagger import HEAD
from hepclf.run import Run, command_line
from hepclf.workflow.evaluated import Evaluated

if TYPE_CHECKING:  # the templates are loaded where a page is written
    from hepclf.presentation.page.page import Provenance

FACTS = ("started", "directory", "commit", "python", "platform", "device")


def report(
    run: Run, evaluated: Evaluated, evaluation: Evaluation, contents: Mapping[str, Any], *, again: str | None = None
) -> None:
    """Write report.html, and the card of a run with a tagger, into its folder, if the evaluation enables the report.

    contents  of metrics.json
    again     the command that repeats the results, by default the one that was typed
    """
    if not evaluation.report:
        return
    from hepclf.presentation.card import card
    from hepclf.presentation.page.page import page

    settings = shown_settings(read_yaml(run.config), evaluated.used)
    provenance = _provenance(run, evaluated, evaluation, settings, again)
    write_text(run.report, page(evaluated.results, run.plots, provenance, folder=run.folder))
    if (run.tagger / HEAD).is_file():
        earlier = ""
        if run.card.is_file():
            earlier = run.card.read_text(encoding="utf-8")
        text = card(evaluated.results, contents, settings, provenance, earlier=earlier)
        write_text(run.card, text)


def shown_settings(settings: Mapping[str, Any], used: frozenset[str]) -> dict[str, Any]:
    """The contents of config.yaml without trainer settings that are null or that the model does not use.

    In folds, data.split is left out, as it has no effect.

    used  the trainer's settings that the model uses; empty for an evaluation alone, which has no trainer
    """
    data, trainer = settings.get("data"), settings.get("trainer")
    if "folds" in settings and isinstance(data, Mapping):
        settings = {**settings, "data": {name: value for name, value in data.items() if name != "split"}}
    if not isinstance(trainer, Mapping):
        return dict(settings)
    effective = {name: value for name, value in trainer.items() if name == "_target_" or name in used}
    return {**settings, "trainer": {name: value for name, value in effective.items() if value is not None}}


def _provenance(
    run: Run, evaluated: Evaluated, evaluation: Evaluation, settings: Mapping[str, Any], again: str | None
) -> Provenance:
    from hepclf.presentation.page.page import Provenance

    label, environment = labelled(evaluation), read_json(run.environment)
    text = ""
    if label:
        text = ", ".join(filter(None, (f"{label.experiment} {label.status}".strip(), label.conditions())))
    return Provenance(
        title=evaluated.heading,
        label=text,
        command=again or command_line(environment["command"]),
        config=yaml_text(settings),
        environment=_facts(environment, evaluated.device),
    )


def labelled(evaluation: Evaluation) -> Label | None:
    """The label of the pictures; without a luminosity of its own, it shows that of the yields."""
    label = evaluation.label
    if label is None:
        return None
    return replace(label, luminosity_fb=label.luminosity_fb or evaluation.luminosity_fb)


def _facts(environment: Mapping[str, Any], device: str | None) -> dict[str, str]:
    facts = {**environment, "device": device}
    found = {name: str(facts[name]) for name in FACTS if facts.get(name)}
    versions = ", ".join(f"{name} {number}" for name, number in environment["versions"].items() if number)
    return {"command": command_line(environment["command"]), **found, "versions": versions}
