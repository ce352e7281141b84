"""Load a tagger of any kind, which its tagger.json names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from hepclf.models.calibrated import KIND as CALIBRATED
from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.cuts import CutsTagger
from hepclf.models.fisher import FisherTagger
from hepclf.models.knn import KNNTagger
from hepclf.models.lightgbm import LightGBMTagger
from hepclf.models.likelihood import LikelihoodTagger
from hepclf.models.members import KIND as MEMBERS
from hepclf.models.members import MembersTagger
from hepclf.models.model import Tagger
from hepclf.models.network import KIND as NETWORK
from hepclf.models.network import NetworkTagger
from hepclf.models.scikit import SklearnTagger
from hepclf.models.svm import SVMTagger
from hepclf.models.tagger import read_head
from hepclf.models.trees import TreesTagger
from hepclf.models.xgboost import XGBoostTagger
from hepclf.words import LONGEST_MESSAGE, shortened

Loader = Callable[[Path | str], Tagger]
DEEPEST = 2  # levels of members: an ensemble of taggers that have folds

_LOADERS: dict[str, Loader] = {
    kind.kind: kind.load
    for kind in (
        FisherTagger,
        TreesTagger,
        LikelihoodTagger,
        CutsTagger,
        KNNTagger,
        SVMTagger,
        SklearnTagger,
        XGBoostTagger,
        LightGBMTagger,
    )
}


def load_tagger(folder: Path | str, recipes: tuple[type[Any], ...] = ()) -> Tagger:
    """Read a saved tagger of any kind; `recipes` are your own classes that it may use, besides hepclf's."""
    loaders: dict[str, Loader] = {**_LOADERS, NETWORK: partial(NetworkTagger.load, recipes=recipes)}
    with _one_line(folder):
        return _nested(loaders, DEEPEST, folder)


@contextmanager
def _one_line(folder: Path | str) -> Iterator[None]:
    """Any error of a malformed file is a ValueError of bounded length."""
    try:
        yield
    except ValueError as error:
        if len(str(error)) > LONGEST_MESSAGE:
            error.args = (shortened(str(error), LONGEST_MESSAGE),)
        raise
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        reason = shortened(" ".join(str(error).split()) or type(error).__name__, LONGEST_MESSAGE)
        raise ValueError(f"{folder}/tagger.json cannot be loaded: {reason}") from error


def _nested(loaders: Mapping[str, Loader], deepest: int, folder: Path | str) -> Tagger:
    """A tagger that may hold others, `deepest` levels of them."""
    kind = read_head(Path(folder))["kind"]
    if kind == CALIBRATED:
        return CalibratedTagger.load(folder, partial(_plain, loaders))
    if kind == MEMBERS and deepest:
        return MembersTagger.load(folder, partial(_nested, loaders, deepest - 1))
    return _plain(loaders, folder)


def _plain(loaders: Mapping[str, Loader], folder: Path | str) -> Tagger:
    """The tagger, read by the loader of its kind."""
    kind = read_head(Path(folder))["kind"]
    if kind not in loaders:
        readable = ", ".join(sorted((*loaders, CALIBRATED, MEMBERS)))
        raise ValueError(
            f"{folder}/tagger.json is a tagger of kind {kind[:40]!r}, this hepclf reads "
            f"{readable}; use a matching version"
        )
    return loaders[kind](folder)
