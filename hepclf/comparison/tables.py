"""A comparison as tables and lines of words, for a terminal or a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hepclf.comparison.compared import Compared
from hepclf.evaluation.grid import Grid, alone, number, size
from hepclf.evaluation.shapes.divergence import inverse

QUALITY = ("", "validation AUC", "test AUC", "Asimov", "B uncertain")
REPEATED = ("", "trainings", "mean test AUC", "deviation of one", "error of one")
ACROSS = 4  # working points that fit beside a name
LEVEL = 0.05  # of p (Holm), below which a tagger is said to be worse or better


def tables(found: Compared) -> Iterator[Grid]:
    """Quality, rejection and cost of each run, its difference to the reference, and what repeated trainings scatter."""
    order = (
        "best on validation first" if found.comparison.by_validation else "in the order given, as none has validation"
    )
    yield Grid(f"AUC and significance, {order}", QUALITY, list(_quality(found)))
    of = f", {found.signal} against the rest," if len(found.classes) > 2 else ""
    targets = [point.target for point in found.comparison.contenders[0].working_points]
    for start in range(0, len(targets), ACROSS):
        some = slice(start, start + ACROSS)
        points = ("", *(f"{target:g}" for target in targets[some]))
        yield Grid(f"rejection on test{of} at a signal efficiency of", points, list(_rejections(found, some)))
    for name in dict.fromkeys(name for one in found.entries.values() for name in one.sculpted):
        points = ("", *(f"{target:g}" for target in targets[:ACROSS]))
        title = f"1/JSD of the background in {name} on test at a signal efficiency of"
        yield Grid(title, points, list(_sculpted(found, name, targets[:ACROSS])))
    yield Grid("cost", ("", "training", "tagger", "scoring"), list(_costs(found)))
    several = len(found.comparison.differences) > 1
    tested = ("", "difference", "p", *(["p (Holm)"] if several else []), "test events")
    yield Grid(f"test AUC less that of {found.reference}", tested, list(_differences(found, several=several)))
    if found.repeated:
        yield Grid("trainings that differ in seeds and folds alone", REPEATED, list(_repeated(found)))


def headline(found: Compared) -> Iterator[str]:
    """Which is the reference, and which of the others differ from it by more than chance."""
    first = found.comparison.contenders[0]
    which = "the best on validation" if found.comparison.by_validation else "the first given"
    on = f"{len(first.events):,} test events"
    yield f"{found.reference} is {which} of {len(found.entries)}: AUC {number(*first.test)} on {on}."
    sure = [one for one in found.comparison.differences if one.holm is not None and one.holm < LEVEL]
    told = {
        "worse on test by more than chance": [one.name for one in sure if (one.value.value or 0) < 0],
        "better on test by more than chance": [one.name for one in sure if (one.value.value or 0) > 0],
        "not told apart from it": [one.name for one in found.comparison.differences if one not in sure],
    }
    said = [f"{', '.join(names)}: {what}" for what, names in told.items() if names]
    yield f"{'; '.join(said)} (p after Holm below {LEVEL:g})."


def _quality(found: Compared) -> Iterator[list[str]]:
    for one in found.comparison.contenders:
        expected = found.entries[one.name].expected
        significances = (number(*value, 2) for value in (expected.asimov, expected.asimov_systematic))
        yield [one.name, number(*one.valid), number(*one.test), *significances]


def _rejections(found: Compared, some: slice) -> Iterator[list[str]]:
    for one in found.comparison.contenders:
        yield [one.name, *(number(*point.rejection, 1) for point in one.working_points[some])]


def _sculpted(found: Compared, spectator: str, targets: Sequence[float]) -> Iterator[list[str]]:
    """1/JSD at each working point, where the run's own evaluation names the spectator."""
    for name, one in found.entries.items():
        points = one.sculpted.get(spectator, {})
        yield [name, *(inverse(points[target]) if target in points else "-" for target in targets)]


def _costs(found: Compared) -> Iterator[list[str]]:
    for name, one in found.entries.items():
        speed = found.rates[name]
        yield [
            name,
            "-" if one.training_s is None else _duration(one.training_s),
            "-" if one.tagger_bytes is None else size(one.tagger_bytes),
            "-" if speed is None else f"{float(f'{speed:.2g}'):,.0f} events/s",
        ]


def _differences(found: Compared, *, several: bool) -> Iterator[list[str]]:
    for one in found.comparison.differences:
        values = (one.p, one.holm) if several else (one.p,)
        events = "the same" if one.other is None else f"other ({one.other})"
        yield [one.name, number(*one.value), *map(_chance, values), events]


def _repeated(found: Compared) -> Iterator[list[str]]:
    for one in found.repeated:
        of = one.spread
        own = "-" if of.own_error is None else alone(of.own_error, of.own_error)
        yield [one.name, str(len(one.runs)), number(*of.area), number(*of.deviation), own]


def remarks(found: Compared) -> Iterator[str]:
    """What the numbers mean, and why some are missing or hard to compare."""
    differences = found.comparison.differences
    if any(one.p is not None for one in differences):
        yield "p: the chance that equal taggers differ as much on such events; not over seeds"
    if len(differences) > 1:
        yield f"p (Holm): the same, corrected for looking at {len(differences)} differences"
    if any(one.other for one in differences):
        yield "other test events: the two areas are taken as independent"
    for one in differences:
        if one.reason:
            yield f"{one.name}: no p, as {one.reason}"
    for name, entry in found.entries.items():
        if entry.expected.reason:
            yield f"{name}: no significance, as {entry.expected.reason}"
    yield from found.notes


def _chance(p: float | None) -> str:
    if p is None:
        return "-"
    return f"{p:.2g}" if p > 1e-300 else "< 1e-300"


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
