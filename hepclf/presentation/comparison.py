"""A comparison as tables of words, for a terminal or a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from hepclf.comparison.compared import Compared
from hepclf.comparison.contenders import Contender
from hepclf.statistics.confusion import confusion_matrix
from hepclf.statistics.curves.limit import rejection_text
from hepclf.statistics.shapes.divergence import Divergence, inverse_text
from hepclf.words import Grid, formatted, number, percent, size, time_text, to_error_digits

STATISTICAL = "± statistical uncertainty"
QUALITY = ("", "best epoch", "validation loss", "validation AUC", "test AUC")
REPEATED = (
    "",
    "trainings",
    "mean test AUC ± error of the mean",
    "standard deviation between trainings",
    "statistical uncertainty of one",
)
RATIO = ("", "slope", "correlation", "rms difference", "excess log-loss")
COLUMNS = 4  # working points that fit into the width of a table

Row = list[str]


def tables(comparison: Compared) -> Iterator[Grid]:
    """Quality, rejection and cost of each run, differences to the reference, and the spread of repeated trainings."""
    order = "in the order given, as none has validation"
    if comparison.by_validation:
        order = "best on validation first"
    yield Grid(f"log-loss and AUC {STATISTICAL}, {order}", QUALITY, _rows(comparison, partial(_quality, comparison)))
    if len(comparison.classes) > 2:
        title = f"correct decisions on test, of all events and of each class, {STATISTICAL}"
        yield Grid(
            title, ("", "all", *comparison.classes), _rows(comparison, partial(_decided, len(comparison.classes)))
        )
    header = ("", "Asimov Z", "Asimov Z with sigma_B", "systematic of B")
    yield Grid(f"significance on test {STATISTICAL}", header, _rows(comparison, partial(_significances, comparison)))
    yield from _rejections(comparison)
    if any(contender.exact for contender in comparison.contenders):
        title = f"ln r from the score against the exact ln r on test {STATISTICAL}"
        yield Grid(title, RATIO, _rows(comparison, _ratio))
    yield _cost_table(comparison)
    if comparison.trained:
        yield _differences(comparison)
    if comparison.repeated:
        yield Grid("trainings that differ in seeds and folds alone", REPEATED, list(_repeated(comparison)))


def _rows(comparison: Compared, cells: Callable[[Contender], Row]) -> list[Row]:
    """One row for each run; with several sets of test events, a row with its name stands above each set."""
    rows: list[Row] = []
    for name, sample in comparison.samples.items():
        runs = [cells(contender) for contender in sample.contenders]
        rows += [*_heading_row(comparison, f"test events {name}:", len(runs[0])), *runs]
    return rows


def _heading_row(comparison: Compared, name: str, width: int) -> list[Row]:
    """A row with the name of a set of test events, where there are several sets."""
    if len(comparison.samples) == 1:
        return []
    return [[name, *[""] * (width - 1)]]


def _quality(comparison: Compared, run: Contender) -> Row:
    epoch = formatted(comparison.entries[run.name].kept_epoch, ",")
    return [run.name, epoch, *(number(*value) for value in (run.valid_loss, run.valid, run.test))]


def _decided(classes: int, run: Contender) -> Row:
    """The accuracy, and the recall of each class."""
    decisions = run.events.scores.argmax(axis=1)
    cells = confusion_matrix(run.events.labels, decisions, run.weights, classes)
    return [
        run.name,
        *(number(*value) for value in (cells.accuracy, *(cells.recall([label]) for label in range(classes)))),
    ]


def _significances(comparison: Compared, run: Contender) -> Row:
    entry = comparison.entries[run.name]
    significances = (entry.expected.asimov, entry.expected.asimov_systematic)
    return [
        run.name,
        *(number(*value, 2) for value in significances),
        percent(entry.evaluation.get("systematic"), None),
    ]


def _rejections(comparison: Compared) -> Iterator[Grid]:
    """Rejections at each working point, and 1/JSD there where the run's own evaluation names a spectator."""
    contrast = ""
    if len(comparison.classes) > 2:
        contrast = f", {comparison.signal} against the rest,"
    for start in range(0, len(comparison.targets), COLUMNS):
        columns = slice(start, start + COLUMNS)
        header = ("", *(f"{target:g}" for target in comparison.targets[columns]))
        yield Grid(
            f"rejection on test{contrast} {STATISTICAL}, at a signal efficiency of",
            header,
            _rows(comparison, partial(_rejected, columns)),
        )
    targets = comparison.targets[:COLUMNS]
    for spectator in dict.fromkeys(name for entry in comparison.entries.values() for name in entry.sculpted):
        title = f"1/JSD of the background in {spectator} on test {STATISTICAL}, at a signal efficiency of"
        header = ("", *(f"{target:g}" for target in targets))
        yield Grid(title, header, _rows(comparison, partial(_sculpted, comparison, spectator, targets)))


def _rejected(columns: slice, run: Contender) -> Row:
    return [
        run.name,
        *(rejection_text(point.rejection, point.rejection_limit) for point in run.working_points[columns]),
    ]


def _sculpted(comparison: Compared, spectator: str, targets: Sequence[float], run: Contender) -> Row:
    points = comparison.entries[run.name].sculpted.get(spectator, {})
    return [run.name, *(inverse_text(points.get(target, Divergence())) for target in targets)]


def _ratio(run: Contender) -> Row:
    if run.exact is None:
        return [run.name, *["-"] * (len(RATIO) - 1)]
    agreement = run.exact.agreement
    values = (agreement.slope, agreement.correlation, agreement.rms, agreement.lost)
    return [run.name, *(number(*value) for value in values)]


def _cost_table(comparison: Compared) -> Grid:
    header = ["", "training", "tagger", "scoring"]
    rows = [_cost(comparison, name) for name in comparison.entries]
    if len(comparison.devices) > 1:
        header.insert(1, "device")
        for row in rows:
            row.insert(1, comparison.entries[row[0]].device or "-")
    return Grid("cost", header, rows)


def _cost(comparison: Compared, name: str) -> Row:
    entry, rate = comparison.entries[name], comparison.rates[name]
    return [name, _text(entry.training_s, time_text), _text(entry.tagger_bytes, size), _text(rate, _rate)]


def _text(value: float | None, writer: Callable[[float], str]) -> str:
    if value is None:
        return "-"
    return writer(value)


def _rate(events_per_s: float) -> str:
    return f"{float(f'{events_per_s:.2g}'):,.0f} events/s"


def _differences(comparison: Compared) -> Grid:
    header = ["", "difference", "p"]
    several = sum(change.p is not None for change in comparison.trained) > 1
    if several:
        header.append("p (Holm)")
    rows: list[Row] = []
    for name, sample in comparison.samples.items():
        changes = [change for change in comparison.trained if change.reference == sample.reference.name]
        if changes:
            rows += _heading_row(comparison, f"test events {name}, minus {sample.reference.name}:", len(header))
        for change in changes:
            values = (change.p, change.holm) if several else (change.p,)
            rows.append([change.name, number(*change.value), *map(_chance, values)])
    reference = comparison.contenders[0].name if len(comparison.samples) == 1 else "the reference on the same events"
    return Grid(f"test AUC minus that of {reference}, {STATISTICAL}", header, rows)


def _repeated(comparison: Compared) -> Iterator[Row]:
    for group in comparison.repeated:
        spread = group.spread
        uncertainty = _text(spread.own_error, lambda error: to_error_digits(error, error))
        yield [group.name, str(len(group.runs)), number(*spread.area), number(*spread.deviation), uncertainty]


def _chance(p: float | None) -> str:
    if p is not None and p <= 1e-300:
        return "< 1e-300"
    return formatted(p, ".2g")
