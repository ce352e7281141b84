"""What systematic variations of weights or of features do to the AUC, to efficiencies and to yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hepclf.evaluation.curves.chosen import Wish, check_shares, granted, wishes
from hepclf.evaluation.grid import Grid, number
from hepclf.evaluation.shapes.shift import difference, relative
from hepclf.evaluation.studies.case import Case
from hepclf.evaluation.studies.varied import Quoted, Seen, Variation, quote, seen, varied
from hepclf.evaluation.value import Value
from hepclf.recipe import recipe

SHIFTS = ("signal_efficiency", "background_efficiency", "s", "b")


@recipe
class Variations:
    """Variations by name, and the cuts (chosen on the nominal validation events) at which they are judged."""

    named: Mapping[str, Variation] = field(default_factory=dict)
    signal_efficiencies: tuple[float, ...] = (0.5,)
    background_efficiencies: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_shares(signal_efficiencies=self.signal_efficiencies, background_efficiencies=self.background_efficiencies)

    def check(self, spectators: tuple[str, ...], features: tuple[str, ...] = ()) -> None:
        """Refuse columns that the data does not have, before anything is trained for nothing."""
        for name, variation in self.named.items():
            variation.check(name, spectators, features)

    def study(self, case: Case) -> Shifts | None:
        """The shifts on test; None where no variation is named, or a split has no events."""
        if not self.named or not {"valid", "test"} <= set(case.parts):
            return None
        asked = wishes(signal_efficiency=self.signal_efficiencies, background_efficiency=self.background_efficiencies)
        cuts, refused = granted(asked, case.curves["valid"], "not asked for")
        nominal = seen(case, cuts, case.parts["test"].weights, None)
        found: dict[str, Shifted | str] = {}
        for name, variation in self.named.items():
            if variation.features and case.inside is None:
                found[name] = "features cannot be varied from stored scores alone; evaluate the run with its data"
                continue
            weights, scores = varied(case, name, variation)
            found[name] = _shifted(nominal, seen(case, cuts, weights, scores))
        return Shifts(cuts=cuts, nominal=nominal.quoted, variations=found, refused=refused)


class Shifted(NamedTuple):
    """A varied AUC, how far it moved, and at each cut the relative shifts of SHIFTS."""

    auc: Value
    auc_shift: Value
    at: Mapping[Wish, Mapping[str, Value]]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them."""
        cuts = [_cut(wish) | {name: value.to_dict() for name, value in of.items()} for wish, of in self.at.items()]
        return {"auc": self.auc.to_dict(), "auc_shift": self.auc_shift.to_dict(), "cuts": cuts}


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifts:
    """What each variation moves, or why that cannot be told."""

    cuts: Mapping[Wish, float]
    nominal: Quoted
    variations: Mapping[str, Shifted | str]
    refused: Mapping[Wish, str]

    @property
    def made(self) -> dict[str, Shifted]:
        """The variations that could be made."""
        return {name: of for name, of in self.variations.items() if not isinstance(of, str)}

    @property
    def sentences(self) -> tuple[str, ...]:
        """The largest shift of the background at each cut, and what could not be made."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        for wish in self.cuts:
            moves = {name: of.at[wish]["background_efficiency"] for name, of in self.made.items()}
            known = {name: move for name, move in moves.items() if move.value is not None}
            if known:
                name = max(known, key=lambda each: abs(known[each].value or 0.0))
                yield (
                    f"At the cut for {wish} the background efficiency moves most with {name}: "
                    f"{_percent(known[name])} % of itself."
                )
        for name, of in self.variations.items():
            if isinstance(of, str):
                yield f"There is no variation {name}: {of}."
        for wish, why in self.refused.items():
            yield f"There is no cut for {wish}: on validation, {why}."

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The AUCs, and the shifts at each cut."""
        if not self.made:
            return ()
        nominal = ("nominal", number(*self.nominal.auc), "")
        areas = [(name, number(*of.auc), number(*of.auc_shift)) for name, of in self.made.items()]
        header = ("variation", "signal eff.", "background eff.", "S", "B")
        return (
            Grid("AUC on test, with each variation", ("variation", "AUC", "shift"), [nominal, *areas]),
            *(
                Grid(
                    f"shifts in % on test, at the cut for {wish}: score ≥ {cut:.6g}",
                    header,
                    [(name, *(_percent(of.at[wish][what]) for what in SHIFTS)) for name, of in self.made.items()],
                )
                for wish, cut in self.cuts.items()
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them; shifts at a cut are relative, that of the AUC is not."""
        nominal = [
            _cut(wish) | {"cut": self.cuts[wish]} | {name: value.to_dict() for name, value in of.items()}
            for wish, of in self.nominal.at.items()
        ]
        return {
            "nominal": {"auc": self.nominal.auc.to_dict(), "cuts": nominal},
            "variations": {
                name: {"reason": of} if isinstance(of, str) else of.to_dict() for name, of in self.variations.items()
            },
        }


def _shifted(nominal: Seen, other: Seen) -> Shifted:
    at = {
        wish: {name: relative(before[name], other.at[wish][name]) for name in SHIFTS}
        for wish, before in nominal.at.items()
    }
    return Shifted(quote(other.auc), difference(nominal.auc, other.auc), at)


def _cut(wish: Wish) -> dict[str, Any]:
    return {"chosen_for": wish.kept, "target": wish.target}


def _percent(value: Value) -> str:
    """A relative shift in per cent, with its sign."""
    if value.value is None:
        return "-"
    text = number(100 * value.value, None if value.error is None else 100 * value.error, digits=2)
    return text if text.startswith("-") else f"+{text}"
