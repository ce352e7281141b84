"""Every kind of tagger that hepclf can read, by the word in its tagger.json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hepclf.models.calibrated import KIND as CALIBRATED
from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.cuts import CutsTagger
from hepclf.models.fisher import FisherTagger
from hepclf.models.knn import KNNTagger
from hepclf.models.lightgbm import LightGBMTagger
from hepclf.models.likelihood import LikelihoodTagger
from hepclf.models.model import Tagger
from hepclf.models.network import KIND as NETWORK
from hepclf.models.network import NetworkTagger
from hepclf.models.scikit import SklearnTagger
from hepclf.models.svm import SVMTagger
from hepclf.models.tagger import read_head
from hepclf.models.trees import TreesTagger
from hepclf.models.xgboost import XGBoostTagger

_LOADERS: dict[str, Callable[[Path | str, tuple[type[Any], ...]], Tagger]] = {
    NETWORK: NetworkTagger.load,
    FisherTagger.kind: FisherTagger.load,
    TreesTagger.kind: TreesTagger.load,
    LikelihoodTagger.kind: LikelihoodTagger.load,
    CutsTagger.kind: CutsTagger.load,
    KNNTagger.kind: KNNTagger.load,
    SVMTagger.kind: SVMTagger.load,
    SklearnTagger.kind: SklearnTagger.load,
    XGBoostTagger.kind: XGBoostTagger.load,
    LightGBMTagger.kind: LightGBMTagger.load,
}


def load_tagger(folder: Path | str, recipes: tuple[type[Any], ...] = ()) -> Tagger:
    """Read a saved tagger of any kind; `recipes` are classes of yours that it may be made of, beside hepclf's own."""
    if read_head(Path(folder))["kind"] == CALIBRATED:
        return CalibratedTagger.load(folder, lambda inner: _uncalibrated(inner, recipes))
    return _uncalibrated(folder, recipes)


def _uncalibrated(folder: Path | str, recipes: tuple[type[Any], ...]) -> Tagger:
    kind = read_head(Path(folder))["kind"]
    if kind not in _LOADERS:
        raise ValueError(
            f"{folder}/tagger.json is a tagger of kind {kind[:40]!r}, this hepclf reads {', '.join(sorted(_LOADERS))}; "
            "use a matching version"
        )
    return _LOADERS[kind](folder, recipes)
