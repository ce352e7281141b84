"""Shifts of the AUC, of efficiencies and of yields by systematic variations of weights or features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from hepclf.evaluation.case import Case
from hepclf.evaluation.evidence import Evidence, corrected, two_sided_p
from hepclf.evaluation.studies.varied import Figures, Quoted, Variation, figures, quoted_value, varied
from hepclf.recipe import recipe
from hepclf.statistics.curves.chosen import Wish, check_shares, granted_cuts, wishes, wishes_text
from hepclf.statistics.shapes.shift import absolute_shift, relative_shift
from hepclf.statistics.value import Value
from hepclf.words import Grid, grouped_rows, number, score_cut

SHIFTS = ("signal_efficiency", "background_efficiency", "s", "b")
JUDGED = "background_efficiency"  # the shift that sentences are about


@recipe
class Variations:
    """Variations by name, and the targets of the cuts, which are chosen on the nominal validation events."""

    question: ClassVar[str] = "What do systematic variations change?"
    page_title: ClassVar[str] = "Systematic variations"
    page_section: ClassVar[str] = "believe"

    named: Mapping[str, Variation] = field(default_factory=dict)
    signal_efficiencies: tuple[float, ...] = (0.5,)
    background_efficiencies: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_shares(signal_efficiencies=self.signal_efficiencies, background_efficiencies=self.background_efficiencies)

    def check(self, spectators: tuple[str, ...], features: tuple[str, ...] = ()) -> None:
        """Refuse columns that the data does not have, before any training."""
        for name, variation in self.named.items():
            variation.check(name, spectators, features)

    def study(self, case: Case) -> Shifts | None:
        """The shifts on test; None where no variation is named, or a split has no events."""
        if not self.named or not {"valid", "test"} <= set(case.parts):
            return None
        requests = wishes(
            signal_efficiency=self.signal_efficiencies, background_efficiency=self.background_efficiencies
        )
        cuts, refused = granted_cuts(requests, case.curves["valid"], "not asked for")
        nominal = figures(case, cuts, case.parts["test"].weights, None)
        shifts: dict[str, Shifted | str] = {}
        for name, variation in self.named.items():
            if variation.features and case.inside is None:
                shifts[name] = "features cannot be varied from stored scores alone; evaluate the run with its data"
                continue
            weights, scores = varied(case, name, variation)
            shifts[name] = _shifted(nominal, figures(case, cuts, weights, scores))
        return Shifts(cuts=cuts, nominal=nominal.quoted, variations=shifts, refused=refused)


class Shifted(NamedTuple):
    """A varied AUC, its shift, and at each cut the relative shifts of SHIFTS."""

    auc: Value
    auc_shift: Value
    by_cut: Mapping[Wish, Mapping[str, Value]]

    def to_dict(self, evidence: Mapping[Wish, Evidence]) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them; `evidence` of each cut is for its background efficiency."""
        cuts = [
            _cut(wish)
            | {name: shift.to_dict() for name, shift in shifts.items()}
            | {"evidence": evidence[wish].to_dict()}
            for wish, shifts in self.by_cut.items()
        ]
        return {"auc": self.auc.to_dict(), "auc_shift": self.auc_shift.to_dict(), "cuts": cuts}


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifts:
    """The shifts by each variation, or why they are unknown."""

    cuts: Mapping[Wish, float]
    nominal: Quoted
    variations: Mapping[str, Shifted | str]
    refused: Mapping[Wish, str]

    @property
    def shifted(self) -> dict[str, Shifted]:
        """The variations that could be made, by name."""
        return {name: shift for name, shift in self.variations.items() if not isinstance(shift, str)}

    @property
    def sentences(self) -> tuple[str, ...]:
        """The largest shift of the background at each cut, and variations and cuts without results."""
        return tuple(self._sentences())

    @property
    def evidence(self) -> dict[tuple[str, Wish], Evidence]:
        """Evidence that a variation changes the background efficiency at a cut, by variation and cut."""
        distinct = self.distinct
        tests = {
            (name, same[0]): two_sided_p(shift.by_cut[same[0]][JUDGED])
            for name, shift in self.shifted.items()
            for same in distinct
        }
        evidence = corrected(tests)
        return {(name, wish): evidence[name, same[0]] for name in self.shifted for same in distinct for wish in same}

    @property
    def distinct(self) -> list[list[Wish]]:
        """The targets of each cut: several targets share a cut where scores tie."""
        return grouped_rows(self.cuts, self.cuts.__getitem__)

    def _sentences(self) -> Iterator[str]:
        evidence = self.evidence
        for wish, *ties in self.distinct:
            shifts = {name: shift.by_cut[wish][JUDGED] for name, shift in self.shifted.items()}
            defined = {name: shift for name, shift in shifts.items() if shift.value is not None}
            significant = {name: shift for name, shift in defined.items() if evidence[name, wish].significant}
            if defined:
                name = max(significant or defined, key=lambda name: abs(defined[name].value or 0.0))
                effect = f"a variation changes the background efficiency at the cut for {wishes_text((wish, *ties))}"
                claim = evidence[name, wish].claim(effect)
                yield f"{claim} ({evidence[name, wish].test}): {name} by {_percent(defined[name])} %."
        for name, reason in self.variations.items():
            if isinstance(reason, str):
                yield f"No results for variation {name}: {reason}."
        for wish, why in self.refused.items():
            yield f"No cut for {wish}: {why}."

    @property
    def tables(self) -> tuple[Grid, ...]:
        """The AUCs, and the shifts at each cut."""
        if not self.shifted:
            return ()
        nominal = ("nominal", number(*self.nominal.auc), "")
        areas = [(name, number(*shift.auc), number(*shift.auc_shift)) for name, shift in self.shifted.items()]
        header = ("variation", "signal eff.", "background eff.", "S", "B")
        return (
            Grid("AUC on test, with each variation", ("variation", "AUC", "shift"), [nominal, *areas]),
            *(
                Grid(
                    f"shifts in % on test, at the cut for {wishes_text(same)}: score ≥ {score_cut(self.cuts[same[0]])}",
                    header,
                    [
                        (name, *(_percent(shift.by_cut[same[0]][quantity]) for quantity in SHIFTS))
                        for name, shift in self.shifted.items()
                    ],
                )
                for same in self.distinct
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as metrics.json has them; shifts at a cut are relative, that of the AUC is not."""
        nominal = [
            _cut(wish) | {"cut": self.cuts[wish]} | {name: value.to_dict() for name, value in values.items()}
            for wish, values in self.nominal.by_cut.items()
        ]
        evidence = self.evidence
        variations: dict[str, Any] = {}
        for name, shift in self.variations.items():
            if isinstance(shift, str):
                variations[name] = {"reason": shift}
            else:
                variations[name] = shift.to_dict({wish: evidence[name, wish] for wish in self.cuts})
        return {"nominal": {"auc": self.nominal.auc.to_dict(), "cuts": nominal}, "variations": variations}


def _shifted(nominal: Figures, variation: Figures) -> Shifted:
    shifts = {
        wish: {name: relative_shift(before[name], variation.by_cut[wish][name]) for name in SHIFTS}
        for wish, before in nominal.by_cut.items()
    }
    return Shifted(quoted_value(variation.auc), absolute_shift(nominal.auc, variation.auc), shifts)


def _cut(wish: Wish) -> dict[str, Any]:
    return {"chosen_for": wish.quantity, "target": wish.target}


def _percent(value: Value) -> str:
    """A relative shift in per cent, with its sign."""
    if value.value is None:
        return "-"
    error = value.error and 100 * value.error
    text = number(100 * value.value, error, digits=2)
    if text.startswith("-"):
        return text
    return f"+{text}"
