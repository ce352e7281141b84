"""Templates as TH1D in a ROOT file, with the sums of squared weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.evaluation.files.store import identifiers
from hepclf.files import atomic
from hepclf.statistics.counting.template import Template
from hepclf.statistics.value import effective_count

Array = NDArray[np.float64]


def write_histograms(path: Path, templates: Mapping[str, Template]) -> None:
    """Write one folder for each template and one TH1D for each process in it.

    The file is written aside and moved into place. A process whose name is no identifier, or is taken, gets a new key;
    the title of the histogram is the process name.
    """
    import uproot

    with atomic(path) as temporary, uproot.recreate(temporary) as file:
        for folder, template in templates.items():
            keys, process_sums = identifiers(template.names, ()), template.sums.swapaxes(0, 1)
            for key, name, sums in zip(keys, template.names, process_sums, strict=True):
                file[f"{folder}/{key}"] = _histogram(key, name, template.edges, sums[0], sums[1])


def _histogram(key: str, title: str, edges: Array, values: Array, squares: Array) -> Any:
    """A TH1D with empty under- and overflow; its moments are those of the bin centres, as in ROOT without events."""
    from uproot.writing.identify import to_TAxis, to_TH1x

    centres = (edges[:-1] + edges[1:]) / 2
    total = float(squares.sum())
    padded = [np.concatenate([[0.0], column, [0.0]]) for column in (values, squares)]
    return to_TH1x(
        fName=key,
        fTitle=title,
        data=padded[0],
        fEntries=effective_count(float(values.sum()), total),
        fTsumw=float(values.sum()),
        fTsumw2=total,
        fTsumwx=float(values @ centres),
        fTsumwx2=float(values @ centres**2),
        fSumw2=padded[1],
        fXaxis=to_TAxis("xaxis", "", len(values), float(edges[0]), float(edges[-1]), fXbins=edges),
    )
