"""The page and the card of a run: the description of its origin, and where they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label
from hepclf.evaluation.results import Results
from hepclf.files import read_yaml, write_text
from hepclf.models.tagger import HEAD
from hepclf.run import Run, command_line

if TYPE_CHECKING:  # the templates are loaded where a page is written
    from hepclf.presentation.page.page import Provenance

FACTS = ("started", "directory", "commit", "python", "platform", "device")


def report(
    results: Results,
    run: Run,
    evaluation: Evaluation,
    title: str,
    contents: Mapping[str, Any],
    *,
    device: str | None = None,
    again: str | None = None,
) -> None:
    """Write report.html, and the card of a run with a tagger, into its folder, if the evaluation enables the report.

    contents  of metrics.json
    again     the command that repeats the results, by default the one that was typed
    """
    if not evaluation.report:
        return
    from hepclf.presentation.card import card
    from hepclf.presentation.page.page import page

    provenance = _provenance(run, evaluation, title, device, again)
    write_text(run.report, page(results, run.plots, provenance, folder=run.folder))
    if (run.tagger / HEAD).is_file():
        earlier = ""
        if run.card.is_file():
            earlier = run.card.read_text(encoding="utf-8")
        text = card(results, contents, read_yaml(run.config), provenance, earlier=earlier)
        write_text(run.card, text)


def _provenance(run: Run, evaluation: Evaluation, title: str, device: str | None, again: str | None) -> Provenance:
    from hepclf.presentation.page.page import Provenance

    label, environment = labelled(evaluation), json.loads(run.environment.read_text(encoding="utf-8"))
    text = ""
    if label:
        text = ", ".join(filter(None, (f"{label.experiment} {label.status}".strip(), label.conditions())))
    return Provenance(
        title=title,
        label=text,
        command=again or command_line(environment["command"]),
        config=run.config.read_text(encoding="utf-8"),
        environment=_facts(environment, device),
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
