"""The results in the forms that fits of the signal strength read."""

from __future__ import annotations

from pathlib import Path

from hepclf.evaluation.files.histograms import write_histograms
from hepclf.evaluation.files.workspace import workspace
from hepclf.evaluation.results import Results
from hepclf.evaluation.studies.binned import BinnedScore
from hepclf.files import write_json
from hepclf.nearest import nearest

PLACES = {"pyhf": "workspace.json", "root": "histograms.root"}


def check_forms(forms: tuple[str, ...]) -> None:
    """Refuse an unknown form."""
    for form in forms:
        if form not in PLACES:
            raise ValueError(f"export={form} is unknown; there are pyhf and root{nearest(form, PLACES)}")


def handover(results: Results, forms: tuple[str, ...], folder: Path) -> tuple[Path, ...]:
    """Write the templates of the score: `pyhf` as a HistFactory workspace, `root` as TH1D, binned and in fine bins."""
    check_forms(forms)
    if not forms:
        return ()
    found = results.studies.get("binned")
    if not isinstance(found, BinnedScore):
        reason = results.significance.reason or "evaluation.binned is null"
        raise ValueError(f"export={','.join(forms)} needs the binned score, and there is none: {reason}")
    paths = tuple(folder / PLACES[form] for form in dict.fromkeys(forms))
    for path in paths:
        if path.suffix == ".root":
            write_histograms(path, {"binned": found.template, "fine": found.fine})
        else:
            write_json(path, workspace(found.template, found.rules.systematic))
    return paths
