"""A tagger whose probabilities are calibrated: another tagger, and a map of its scores."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events
from hepclf.models.event_checks import check_finite
from hepclf.models.model import Tagger
from hepclf.models.tagger import HEAD, read_tagger, write_tagger
from hepclf.statistics.calibration import Isotonic, Method, Temperature, calibration_map, from_dict
from hepclf.training.trainer import Trainer

KIND = "calibrated"
INNER = "uncalibrated"  # the folder of the tagger whose scores are mapped


class CalibratedTagger:
    """A tagger that maps the scores of another; the order of events is kept, and so is the ROC curve."""

    def __init__(self, inner: Tagger, calibration: Temperature | Isotonic) -> None:
        if isinstance(calibration, Isotonic) and len(inner.classes) > 2:
            raise ValueError(f"isotonic calibration is for two classes, not {len(inner.classes)}")
        self.inner, self.calibration = inner, calibration
        self.inputs, self.classes, self.sentinels = inner.inputs, inner.classes, inner.sentinels
        self.summary: Mapping[str, Any] = {**inner.summary, "calibration": calibration_summary(calibration)}

    @property
    def device(self) -> str:
        """Where it scores: cpu, cuda:0..."""
        return self.inner.device

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Calibrated probability of the signal [n], or of each class [n, k]."""
        scores = self.calibration(self.inner.scores(events))
        check_finite(scores, events, self.inputs, self.sentinels)
        return scores

    def to(self, device: str) -> CalibratedTagger:
        """The same tagger, scoring on this device."""
        inner = self.inner.to(device)
        return self if inner is self.inner else CalibratedTagger(inner, self.calibration)

    def save(self, folder: Path | str) -> None:
        """Write the inner tagger to a folder of its own and, last, the tagger.json with its hash."""
        inner = Path(folder) / INNER
        self.inner.save(inner)
        contents = {
            "kind": KIND,
            "calibration": self.calibration.to_dict(),
            "inner": _digest(inner),
            "inputs": self.inputs,
            "classes": self.classes,
            "summary": self.summary,
        }
        write_tagger(Path(folder), {}, contents)

    @classmethod
    def load(cls, folder: Path | str, load_inner: Callable[[Path], Tagger]) -> CalibratedTagger:
        """Read a saved tagger; `load_inner` reads the inner one, whose scores are mapped."""
        head, _ = read_tagger(Path(folder), KIND)
        inner = Path(folder) / INNER
        if inner.is_symlink() or not (inner / HEAD).is_file():
            raise ValueError(
                f"{inner} is missing or a link, though {Path(folder) / HEAD} maps the scores of it; refused"
            )
        if _digest(inner) != head.get("inner"):
            raise ValueError(f"{inner / HEAD} was changed after the tagger was saved: its SHA-256 differs; refused")
        tagger = load_inner(inner)
        try:
            if [*tagger.inputs] != head["inputs"] or [*tagger.classes] != head["classes"]:
                raise ValueError("inputs and classes must be those of the tagger inside")
            return cls(tagger, from_dict(head.get("calibration")))
        except ValueError as error:
            raise ValueError(f"{Path(folder) / HEAD} cannot be loaded: {error}") from error


def with_calibration(tagger: Tagger, valid: Events, trainer: Trainer) -> Tagger:
    """The tagger with the calibration that the trainer names, fitted to validation events with loss weights."""
    method = trainer.calibrate
    if method == "none":
        return tagger
    check_calibration(method, valid.classes)
    valid = trainer.weighing(valid)
    scores = tagger.scores(valid)
    return CalibratedTagger(tagger, calibration_map(method, scores, valid.labels, trainer.weights(valid)))


def check_calibration(method: Method | str, classes: tuple[str, ...]) -> None:
    """Refuse classes that this method cannot calibrate; called before the training."""
    if method == "isotonic" and len(classes) > 2:
        raise ValueError(f"trainer.calibrate=isotonic is for two classes, not {len(classes)}; use temperature")


def calibration_summary(calibration: Temperature | Isotonic) -> dict[str, Any]:
    """The calibration for a summary, without its knots."""
    if isinstance(calibration, Temperature):
        return calibration.to_dict()
    return {"method": "isotonic", "knots": len(calibration.before)}


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / HEAD).read_bytes()).hexdigest()
