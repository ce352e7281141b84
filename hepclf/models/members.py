"""A tagger of several members: one for each fold, replicas of one training, or an ensemble of finished trainings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Events, Sentinels
from hepclf.models.event_checks import check_finite
from hepclf.models.folds import MOST, FoldKey
from hepclf.models.model import Tagger, score_shape
from hepclf.models.tagger import HEAD, read_head, read_tagger, write_tagger
from hepclf.statistics.mean_logit import log_probabilities

KIND = "members"
Average = Literal["probability", "logit"]


class MembersTagger:
    """Several taggers of the same classes that score as one.

    With folds that the events tell, each event is scored by the member that has not seen its fold. Otherwise the
    scores are the weighted mean over all members, of their probabilities or of their logits.
    """

    kind = KIND

    def __init__(
        self,
        members: Sequence[Tagger],
        *,
        folds: FoldKey | None = None,
        weights: Sequence[float] | None = None,
        average: Average = "probability",
        summary: Mapping[str, Any] | None = None,
    ) -> None:
        self.members, self.folds, self.average = tuple(members), folds, average
        self.weights = _shares(weights, len(self.members))
        _check(self.members, folds, average)
        self.inputs = tuple(dict.fromkeys(name for member in self.members for name in member.inputs))
        self.classes = self.members[0].classes
        self.sentinels: Sentinels = {}
        for member in self.members:
            self.sentinels = {**self.sentinels, **member.sentinels}
        self.summary: Mapping[str, Any] = {"members": len(self.members), **(summary or {})}

    @property
    def keyed(self) -> FoldKey | None:
        """The folds, where an event tells its own; then the member of its fold scores it."""
        return self.folds if self.folds is not None and self.folds.columns else None

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns of whole numbers, besides the inputs, from which the members of each event follow."""
        names = () if self.folds is None else self.folds.columns
        return tuple(dict.fromkeys((*names, *(name for member in self.members for name in key_columns(member)))))

    @property
    def device(self) -> str:
        """Where it scores: cpu, cuda:0..."""
        return self.members[0].device

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n], or of each class [n, k]; by the member of each event's fold, or the mean."""
        if self.keyed is None:
            scores = self.mean(self.by_member(events))
        else:
            scores = self._by_fold(self.keyed.folds(events), events)
        check_finite(scores, events, self.inputs, self.sentinels)
        return scores

    def _by_fold(self, folds: NDArray[np.int64], events: Events) -> NDArray[np.float64]:
        scores = np.empty(score_shape(len(events), len(self.classes)))
        for fold, member in enumerate(self.members):
            rows = np.flatnonzero(folds == fold)
            if len(rows):
                scores[rows] = member.scores(events.take(rows))
        return scores

    def by_member(self, events: Events) -> NDArray[np.float64]:
        """The scores of every member for every event, [m, n] or [m, n, k]."""
        return np.stack([member.scores(events) for member in self.members])

    def mean(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted mean over members of scores [m, n] or [m, n, k]."""
        if self.average == "probability":
            return np.tensordot(self.weights, scores, axes=1)
        logits = np.tensordot(self.weights, log_probabilities(scores), axes=1)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
        return probabilities if scores.ndim == 3 else probabilities[:, 1]

    def averaging(self) -> MembersTagger:
        """The same members with the mean of all as score, for events that none of them has seen."""
        members = [averaging(member) for member in self.members]
        return MembersTagger(members, weights=self.weights.tolist(), average=self.average, summary=self.summary)

    def to(self, device: str) -> MembersTagger:
        """The same tagger, scoring on this device."""
        members = [member.to(device) for member in self.members]
        return self._with(members)

    def _with(self, members: Sequence[Tagger]) -> MembersTagger:
        return MembersTagger(
            members, folds=self.folds, weights=self.weights.tolist(), average=self.average, summary=self.summary
        )

    def save(self, folder: Path | str) -> None:
        """Write each member to a folder of its own and, last, the tagger.json with their hashes."""
        folder = Path(folder)
        for number, member in enumerate(self.members):
            member.save(member_folder(folder, number))
        contents = {
            "kind": KIND,
            "members": [_digest(member_folder(folder, number)) for number in range(len(self.members))],
            "folds": None if self.folds is None else self.folds.to_dict(),
            "weights": self.weights.tolist(),
            "average": self.average,
            "inputs": self.inputs,
            "classes": self.classes,
            "summary": self.summary,
        }
        write_tagger(folder, {}, contents)

    @classmethod
    def load(cls, folder: Path | str, load_member: Callable[[Path], Tagger]) -> MembersTagger:
        """Read a saved tagger; `load_member` reads its members."""
        folder = Path(folder)
        head, _ = read_tagger(folder, KIND)
        digests = head.get("members")
        if not isinstance(digests, list) or not 1 <= len(digests) <= MOST:
            raise ValueError(f"{folder / HEAD} must list from 1 to {MOST} members; refused")
        members = [_member(folder, number, digest, load_member) for number, digest in enumerate(digests)]
        try:
            stored = head.get("folds")
            tagger = cls(
                members,
                folds=None if stored is None else FoldKey.from_dict(stored),
                weights=_numbers(head.get("weights")),
                average=head.get("average"),  # type: ignore[arg-type]  # checked by the class
                summary=head["summary"],
            )
            if [*tagger.inputs] != head["inputs"] or [*tagger.classes] != head["classes"]:
                raise ValueError("inputs and classes must be those of the members")
        except ValueError as error:
            raise ValueError(f"{folder / HEAD} cannot be loaded: {error}") from error
        return tagger


def averaging(tagger: Tagger) -> Tagger:
    """A tagger that scores by the mean of its members, if it has any; another one as it is."""
    return tagger.averaging() if isinstance(tagger, MembersTagger) else tagger


def key_columns(tagger: Tagger) -> tuple[str, ...]:
    """Columns of whole numbers that a tagger needs besides its inputs, as one with folds does; none for most."""
    return tagger.keys if isinstance(tagger, MembersTagger) else ()


def has_random_folds(tagger: Tagger) -> bool:
    """Whether it, or a member of it, was trained in folds that events do not tell."""
    if not isinstance(tagger, MembersTagger):
        return False
    is_random = tagger.folds is not None and not tagger.folds.columns
    return is_random or any(has_random_folds(member) for member in tagger.members)


def fold_columns(folder: Path) -> tuple[str, ...]:
    """The columns from which a stored tagger knows the member that has not seen an event; none for most taggers."""
    stored = read_head(folder).get("folds")
    return () if stored is None else FoldKey.from_dict(stored).columns


def member_folder(folder: Path, number: int) -> Path:
    """The folder of a member within that of its tagger."""
    return folder / f"member_{number}"


def _check(members: Sequence[Tagger], folds: FoldKey | None, average: str) -> None:
    if not members:
        raise ValueError("a tagger of members needs at least one")
    for member in members:
        if member.classes != members[0].classes:
            raise ValueError(f"members must know the same classes, not {members[0].classes} and {member.classes}")
    if folds is not None and folds.count != len(members):
        raise ValueError(f"{folds.count} folds need as many members, not {len(members)}")
    if average not in ("probability", "logit"):
        raise ValueError(f"average must be probability or logit, not {str(average)[:40]!r}")


def _shares(weights: Sequence[float] | None, members: int) -> NDArray[np.float64]:
    """The weights of the members in the mean, with sum one, [m]; equal ones by default."""
    shares = np.ones(members) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (members,) or not np.isfinite(shares).all() or shares.min(initial=0) < 0 or not shares.any():
        raise ValueError(f"weights must be {members} numbers of at least 0, not all 0")
    return np.asarray(shares / shares.sum())


def _numbers(stored: Any) -> list[float]:
    if not isinstance(stored, list) or not all(type(value) in (int, float) for value in stored):
        raise ValueError("weights must be a list of numbers")
    return stored


def _member(folder: Path, number: int, digest: Any, load_member: Callable[[Path], Tagger]) -> Tagger:
    member = member_folder(folder, number)
    if member.is_symlink() or not (member / HEAD).is_file():
        raise ValueError(f"{member} is missing or a link, though {folder / HEAD} names it; refused")
    if _digest(member) != digest:
        raise ValueError(f"{member / HEAD} was changed after the tagger was saved: its SHA-256 differs; refused")
    return load_member(member)


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / HEAD).read_bytes()).hexdigest()
