"""Scores in a ROOT file: the TTree `scores`, and a JSON text with the names of classes, processes and splits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.files import atomic, from_json
from hepclf.scored import Scored

TREE, NAMES = "scores", "names"
FOLD = "fold"
ROWS = 500_000


def write_scores(path: str | Path, scored: Scored) -> None:
    """Write scored events to a ROOT file; it is written aside and moved into place.

    The branches are label, weight, split, process, score (several classes: score_<class>), fold where there are folds,
    and the spectators. A spectator whose name is taken or is no identifier gets a new name. Text is stored as integers,
    which index a list of its distinct values outside the tree. A spectator that is neither number nor text is refused.
    """
    import uproot

    path = Path(path)
    columns, names = _columns(scored)
    with atomic(path) as temporary, uproot.recreate(temporary, compression=uproot.LZ4(1)) as file:
        file[NAMES] = json.dumps(names)
        # mktree, as assigning a dictionary would write an RNTuple.
        tree = file.mktree(TREE, {name: column.dtype for name, column in columns.items()})
        for start in range(0, len(scored), ROWS):
            tree.extend({name: column[start : start + ROWS] for name, column in columns.items()})


def read_scores(path: str | Path) -> Scored:
    """The scored events from a ROOT file of `write_scores`."""
    import uproot

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there are no scores at {path}; a finished training writes them")
    try:
        with uproot.open(path) as file:
            keys = set(file.keys(cycle=False))
            if not {TREE, NAMES} <= keys:
                raise ValueError(f"it holds {sorted(keys)} and not {[TREE, NAMES]}")
            names = from_json(str(file[NAMES]))
            return _scored(file[TREE].arrays(library="np"), names)
    # A damaged file may fail anywhere in uproot, in many ways.
    except Exception as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as scores of hepclf ({type(error).__name__}: {why})") from error


def _scored(columns: dict[str, NDArray[Any]], names: dict[str, Any]) -> Scored:
    scores = np.stack([columns[branch] for branch in names["scores"]], axis=-1)
    if scores.shape[1] == 1:
        scores = scores[:, 0]
    spectators = {name: columns[branch] for name, branch in names["spectators"].items()}
    for name, values in names["texts"].items():
        spectators[name] = np.array(values, dtype=np.str_)[spectators[name]]
    return Scored(
        labels=columns["label"],
        weights=columns["weight"],
        scores=scores,
        split=columns["split"],
        classes=tuple(names["classes"]),
        processes=columns["process"],
        process_names=tuple(names["processes"]),
        spectators=spectators,
        totals=np.array(names["totals"], dtype=np.float64),
        folds=columns[FOLD] if names.get("folds") else None,
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
        scores = identifiers((f"score_{name}" for name in scored.classes), columns)
    columns |= dict(zip(scores, np.atleast_2d(scored.scores.T), strict=True))
    if scored.folds is not None:
        columns[FOLD] = scored.folds.astype(np.int32)
    texts: dict[str, list[str]] = {}
    branches = identifiers(scored.spectators, columns)
    for branch, (name, column) in zip(branches, scored.spectators.items(), strict=True):
        if column.dtype.kind in "biuf":
            columns[branch] = _storable(column)
        else:
            values, columns[branch] = _encoded(name, column)
            texts[name] = values
    names = {
        "classes": list(scored.classes),
        "processes": list(scored.process_names),
        "scores": scores,
        "spectators": dict(zip(scored.spectators, branches, strict=True)),
        "texts": texts,
        "totals": scored.totals.tolist(),
        "folds": scored.folds is not None,
    }
    return columns, names


def identifiers(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Identifiers for these names that differ from each other and from those taken."""
    branches: list[str] = []
    used = set(taken)
    for name in names:
        plain = branch = re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII) or "_"
        count = 2
        while branch in used:
            branch, count = f"{plain}_{count}", count + 1
        used.add(branch)
        branches.append(branch)
    return branches


def _encoded(name: str, column: NDArray[Any]) -> tuple[list[str], NDArray[np.int32]]:
    """The distinct values of a text column, and for each event the index of its value."""
    if column.dtype.kind != "U" and not (column.dtype.kind == "O" and all(isinstance(value, str) for value in column)):
        raise ValueError(
            f"spectator {name!r} must be a number or text to be stored, not {column.dtype}; "
            f"leave it out of the data's spectators"
        )
    values, places = np.unique(column.astype(np.str_), return_inverse=True)
    return values.tolist(), places.astype(np.int32)


def _storable(column: NDArray[Any]) -> NDArray[Any]:
    """The column in a type that ROOT has: half becomes single precision, extended becomes double precision."""
    if column.dtype.kind != "f" or column.dtype.itemsize in (4, 8):
        return column
    if column.dtype.itemsize == 2:
        return column.astype(np.float32)
    return column.astype(np.float64)
