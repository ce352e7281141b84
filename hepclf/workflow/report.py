"""The page of a run: what is said of its origin, and where it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label
from hepclf.evaluation.results import Results
from hepclf.files import write_bytes
from hepclf.run import Run, command_line

FACTS = ("started", "directory", "commit", "python", "platform", "device")


def report(
    results: Results,
    run: Run,
    evaluation: Evaluation,
    title: str,
    *,
    device: str | None = None,
    again: str | None = None,
) -> Path | None:
    """Write report.html into a run's folder, beside its plots; None where the evaluation does not ask for one.

    `again` is the command that makes it again, by default the one that was typed.
    """
    if not evaluation.report:
        return None
    from hepclf.presentation.page.page import Provenance, page

    label, environment = labelled(evaluation), json.loads(run.environment.read_text(encoding="utf-8"))
    provenance = Provenance(
        title=title,
        label=", ".join(filter(None, (f"{label.experiment} {label.status}".strip(), label.conditions())))
        if label
        else "",
        command=again or command_line(environment["command"]),
        config=run.config.read_text(encoding="utf-8"),
        environment=_facts(environment, device),
    )
    write_bytes(run.report, page(results, run.plots, provenance, folder=run.folder).encode())
    return run.report


def labelled(evaluation: Evaluation) -> Label | None:
    """The label of the pictures; its luminosity is that of the yields where it has none of its own."""
    label = evaluation.label
    return replace(label, luminosity_fb=label.luminosity_fb or evaluation.luminosity_fb) if label else None


def _facts(environment: Mapping[str, Any], device: str | None) -> dict[str, str]:
    facts = {**environment, "device": device}
    found = {name: str(facts[name]) for name in FACTS if facts.get(name)}
    versions = ", ".join(f"{name} {number}" for name, number in environment["versions"].items() if number)
    return {"command": command_line(environment["command"]), **found, "versions": versions}
