"""Scores in a ROOT file: the TTree `scores` and, beside it, the names that give its integers a meaning."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.scored import Scored

TREE, NAMES = "scores", "names"
ROWS = 500_000


def write_scores(path: str | Path, scored: Scored) -> None:
    """Write scored events to a ROOT file, beside its place and moved there.

    Branches label, weight, split, process, score (several classes: score_<class> each) and the numeric
    spectators; a spectator whose name is taken or is no identifier gets one that is. Other spectators stay out.
    """
    import uproot

    path = Path(path)
    columns, names = _columns(scored)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    os.close(handle)
    try:
        with uproot.recreate(aside, compression=uproot.LZ4(1)) as file:
            file[NAMES] = json.dumps(names)
            # mktree, as assigning a dictionary would write an RNTuple.
            tree = file.mktree(TREE, {name: column.dtype for name, column in columns.items()})
            for start in range(0, len(scored), ROWS):
                tree.extend({name: column[start : start + ROWS] for name, column in columns.items()})
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def read_scores(path: str | Path) -> Scored:
    """The scored events that write_scores left in a ROOT file."""
    import uproot

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there are no scores at {path}; a finished training writes them")
    with uproot.open(path) as file:
        found = set(file.keys(cycle=False))
        if not {TREE, NAMES} <= found:
            raise ValueError(
                f"{path} holds {sorted(found)}, however scores need {[TREE, NAMES]}; was hepclf its writer?"
            )
        names = json.loads(str(file[NAMES]))
        columns = file[TREE].arrays(library="np")
    scores = [columns[branch] for branch in names["scores"]]
    return Scored(
        labels=columns["label"],
        weights=columns["weight"],
        scores=scores[0] if len(scores) == 1 else np.stack(scores, axis=1),
        split=columns["split"],
        classes=tuple(names["classes"]),
        processes=columns["process"],
        process_names=tuple(names["processes"]),
        spectators={name: columns[branch] for name, branch in names["spectators"].items()},
        totals=np.array(names["totals"], dtype=np.float64),
    )


def _columns(scored: Scored) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    columns: dict[str, NDArray[Any]] = {
        "label": scored.labels.astype(np.int32),
        "weight": scored.weights,
        "split": scored.split,
        "process": scored.processes.astype(np.int32),
    }
    scores = ["score"]
    if scored.scores.ndim == 2:
        scores = _branches((f"score_{name}" for name in scored.classes), columns)
    columns |= dict(zip(scores, np.atleast_2d(scored.scores.T), strict=True))
    numeric = {name: column for name, column in scored.spectators.items() if column.dtype.kind in "biuf"}
    spectators = _branches(numeric, columns)
    columns |= {branch: _storable(column) for branch, column in zip(spectators, numeric.values(), strict=True)}
    names = {
        "classes": list(scored.classes),
        "processes": list(scored.process_names),
        "scores": scores,
        "spectators": dict(zip(numeric, spectators, strict=True)),
        "totals": scored.totals.tolist(),
    }
    return columns, names


def _branches(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Identifiers for these names that differ from each other and from those taken."""
    found: list[str] = []
    used = set(taken)
    for name in names:
        plain = branch = re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII)
        count = 2
        while branch in used:
            branch, count = f"{plain}_{count}", count + 1
        used.add(branch)
        found.append(branch)
    return found


def _storable(column: NDArray[Any]) -> NDArray[Any]:
    """ROOT knows no half or extended precision; half fits into single, extended is cut to double."""
    if column.dtype.kind == "f" and column.dtype.itemsize not in (4, 8):
        return column.astype(np.float32 if column.dtype.itemsize == 2 else np.float64)
    return column
