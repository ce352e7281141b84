"""The forms that a tagger leaves the house in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.fisher import FisherTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger
from hepclf.statistics.calibration import Isotonic, Temperature

Kind = Literal["onnx", "cpp", "xgboost-json"]
Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]  # features [n, d] to scores [n] or [n, k]
Written = Callable[[Tagger, str, Mapping[str, str]], bytes]  # of a tagger, a name and notes, the contents of a file
Opened = Callable[[bytes], AbstractContextManager[Score]]


def bare(tagger: Tagger) -> tuple[Tagger, Temperature | Isotonic | None]:
    """The tagger without the calibration of its scores, and the calibration."""
    if isinstance(tagger, CalibratedTagger):
        return tagger.inner, tagger.calibration
    return tagger, None


@dataclass(frozen=True)
class Form:
    """A format: the module that writes it (`written`) and reads it back (`opened`), and what it can hold.

    taggers   the kinds of tagger it can hold, calibrated or not
    refuses   whether what reads it gives nan for an infinite feature, which no tagger scores
    packages  what is imported for it, and the words that install them
    """

    suffix: str
    module: str
    taggers: tuple[type, ...]
    refuses: bool = True
    packages: tuple[str, ...] = ()
    install: str = ""

    def of(self, kind: str, tagger: Tagger) -> tuple[Written, Opened]:
        """What writes and what reads this format, or a ValueError where it cannot be had for this tagger."""
        inner, _ = bare(tagger)
        if not isinstance(inner, self.taggers):
            names = ", ".join(_NAMES[each] for each in self.taggers)
            raise ValueError(
                f"format={kind} holds {names}, however this tagger is a {type(inner).__name__}; "
                "use `hepclf predict`, which scores with every tagger"
            )
        for package in self.packages:
            try:
                import_module(package)
            except ImportError:
                raise ValueError(f"format={kind} needs {package}; {self.install}") from None
        module = import_module(self.module)
        return module.written, module.opened


_NAMES: dict[type, str] = {NetworkTagger: "networks", TreesTagger: "trees", FisherTagger: "Fisher's discriminant"}
FORMS: dict[Kind, Form] = {
    "onnx": Form(
        ".onnx",
        "hepclf.export.onnx.model",
        (NetworkTagger, TreesTagger, FisherTagger),
        packages=("onnx", "onnxruntime"),
        install="pip install 'hepclf[onnx]'",
    ),
    "xgboost-json": Form(
        ".xgboost.json",
        "hepclf.export.xgboost",
        (TreesTagger,),
        refuses=False,
        packages=("xgboost",),
        install="pip install 'hepclf[boost]'",
    ),
    "cpp": Form(".hpp", "hepclf.export.cpp.model", (NetworkTagger, TreesTagger, FisherTagger)),
}
