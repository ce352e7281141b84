"""The file formats that a tagger can be exported to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hepclf.export.components import check_sentinels, components, event_folds
from hepclf.models.calibrated import CalibratedTagger
from hepclf.models.fisher import FisherTagger
from hepclf.models.members import MembersTagger
from hepclf.models.model import Tagger
from hepclf.models.network import NetworkTagger
from hepclf.models.trees import TreesTagger
from hepclf.statistics.calibration import Isotonic, Temperature

FormatName = Literal["onnx", "cpp", "xgboost-json"]


class Score(Protocol):
    """A function that scores through an exported file."""

    def __call__(self, features: NDArray[np.float32], key: NDArray[np.uint64] | None = None, /) -> NDArray[np.float64]:
        """Scores [n] or [n, k] of features [n, d]; for folds also of the event number or, of hashed ones, the fold."""
        ...


Writer = Callable[[Tagger, str, Mapping[str, str]], bytes]  # a tagger, a name and notes to the contents of a file
Reader = Callable[[bytes], AbstractContextManager[Score]]
Usage = Callable[[Tagger, str, str], list[str]]  # a tagger, a name and the path of a file to lines of code that use it


def uncalibrated(tagger: Tagger) -> tuple[Tagger, Temperature | Isotonic | None]:
    """The tagger without the calibration of its scores, and the calibration."""
    if isinstance(tagger, CalibratedTagger):
        return tagger.inner, tagger.calibration
    return tagger, None


@dataclass(frozen=True)
class ExportFormat:
    """A format: its module, the names of its functions, and the taggers that it can hold.

    writer    the function from a tagger to the contents of a file
    reader    the function from the contents to a context manager that scores features
    usage     the function from tagger, name and path to lines of code with which a user starts
    taggers   the kinds of tagger that it can hold, calibrated or not
    members   whether it can hold several of them as the members of one tagger
    refuses   whether its reader gives nan for an infinite feature, which no tagger scores
    packages  the packages that it imports; `install` is the command that installs them
    """

    suffix: str
    module: str
    writer: str
    reader: str
    usage: str
    taggers: tuple[type, ...]
    members: bool = True
    refuses: bool = True
    packages: tuple[str, ...] = ()
    install: str = ""

    def writer_and_reader(self, name: str, tagger: Tagger) -> tuple[Writer, Reader]:
        """The functions that write and read this format; a ValueError if the format cannot hold this tagger."""
        if isinstance(tagger, MembersTagger):
            self._check_members(name, tagger)
        for component in components(tagger):
            inner, _ = uncalibrated(component.tagger)
            if not isinstance(inner, self.taggers):
                holds = ", ".join(_NAMES[kind] for kind in self.taggers)
                raise ValueError(
                    f"format={name} holds {holds}, not a {type(inner).__name__}; "
                    "use `hepclf predict`, which scores with every tagger"
                )
        for package in self.packages:
            try:
                import_module(package)
            except ImportError:
                raise ValueError(f"format={name} needs {package}; {self.install}") from None
        module = import_module(self.module)
        return getattr(module, self.writer), getattr(module, self.reader)

    def _check_members(self, name: str, tagger: MembersTagger) -> None:
        if not self.members:
            raise ValueError(f"format={name} holds one tagger, not one of members; use format=onnx or format=cpp")
        event_folds(tagger)
        check_sentinels(tagger)

    def usage_lines(self, tagger: Tagger, name: str, path: str) -> list[str]:
        """Lines of code that use a file of this format."""
        usage: Usage = getattr(import_module(self.module), self.usage)
        return usage(tagger, name, path)


_NAMES: dict[type, str] = {NetworkTagger: "networks", TreesTagger: "trees", FisherTagger: "Fisher's discriminant"}
FORMATS: dict[FormatName, ExportFormat] = {
    "onnx": ExportFormat(
        ".onnx",
        "hepclf.export.onnx.model",
        "onnx_file",
        "onnx_scores",
        "onnx_usage",
        (NetworkTagger, TreesTagger, FisherTagger),
        packages=("onnx", "onnxruntime"),
        install="pip install 'hepclf[onnx]'",
    ),
    "xgboost-json": ExportFormat(
        ".xgboost.json",
        "hepclf.export.xgboost",
        "xgboost_json",
        "xgboost_scores",
        "xgboost_usage",
        (TreesTagger,),
        members=False,
        refuses=False,
        packages=("xgboost",),
        install="pip install 'hepclf[boost]'",
    ),
    "cpp": ExportFormat(
        ".hpp",
        "hepclf.export.cpp.model",
        "cpp_header",
        "compiled_scores",
        "cpp_usage",
        (NetworkTagger, TreesTagger, FisherTagger),
    ),
}
