"""The results as tables of words, for a terminal or a page."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from hepclf.evaluation.finding import passed_checks, problems
from hepclf.evaluation.results import Results, SplitResults
from hepclf.evaluation.studies.counting import NAMES
from hepclf.evaluation.studies.folds import FoldResults
from hepclf.statistics.counting.scan import Significance, with_margin
from hepclf.statistics.curves.limit import background_text, rejection_text
from hepclf.statistics.value import Value
from hepclf.words import Grid, grouped_rows, lower_limit, number, percent, targeted, upper_limit

SIGNIFICANCE = (
    ("S", "s", 1),
    ("B", "b", 1),
    ("S/sqrt(B)", "s_over_sqrt_b", 2),
    ("Asimov Z", "asimov", 2),
)
SPLIT_NAMES = {"train": "training set", "valid": "validation set", "test": "test set"}
OUT_OF_FOLD = "test, out of fold"  # each event scored by the member that has not seen it
WHICH_WEIGHTS = (
    "Log-loss and Brier score are means over the events with their own weights; the calibration has them for the "
    "mixture of the training."
)
OVERLAP = "Every event is a test event once, scored by a member that has not seen it, so the sets overlap."
READ_OFF = "These points are read off the test set, without a cut that was chosen on the validation set."
SIGNS = {"ell": "ℓ", "to": "→", "rightarrow": "→", "pm": "±"}
NEGLIGIBLE = 1e-12  # a mean loss that rounding decides
WHOLE, LARGE = 1e3, 1e7  # sums of weights from which on there are no decimals, and a power of ten


def quality_table(results: Results, title: str) -> Grid:
    """Quality of the scores: a row for each metric, a column for each split."""
    splits, names = results.splits, dict(SPLIT_NAMES)
    if isinstance(results.studies.get("folds"), FoldResults):
        names["test"] = OUT_OF_FOLD
    return Grid(
        title,
        ["", *(f"{names[name]} ({split.events:,})" for name, split in splits.items())],
        list(_quality_rows(splits)),
    )


def _quality_rows(splits: Mapping[str, SplitResults]) -> Iterator[list[str]]:
    rows: list[tuple[str, Callable[[SplitResults], Value]]] = [
        ("AUC", lambda split: split.auc),
        ("AUC of likelihood ratio", _optimal_area),
        ("log-loss", lambda split: split.log_loss),
        ("Brier score", lambda split: split.brier),
        ("accuracy", lambda split: split.accuracy),
        ("precision", lambda split: split.precision),
        ("recall", lambda split: split.recall),
        ("F1", lambda split: split.f1),
    ]
    for metric, value_of in rows:
        values = [value_of(split) for split in splits.values()]
        if any(value.value is not None for value in values):
            cells = (_quoted(metric, value, split) for value, split in zip(values, splits.values(), strict=True))
            yield [metric, *cells]
    for label in next(iter(splits.values())).one_vs_rest:
        yield [f"AUC of {label}", *(number(*split.one_vs_rest[label].auc) for split in splits.values())]
    if any(split.negative_fraction for split in splits.values()):
        shares = (
            None if split.negative_fraction is None else 100 * split.negative_fraction for split in splits.values()
        )
        yield ["w < 0, % of Σ|w|", *(number(share, digits=1) for share in shares)]


def _optimal_area(split: SplitResults) -> Value:
    if split.optimal is None:
        return Value(None)
    return split.optimal.area


def _quoted(metric: str, value: Value, split: SplitResults) -> str:
    """A metric with its error.

    Where no background is selected, the precision has a lower limit. A loss below what single precision can tell from
    zero, as of separated classes, is only said to be that small.
    """
    if metric == "precision" and split.precision_limit is not None:
        return lower_limit(split.precision_limit.at_95)
    if metric in ("log-loss", "Brier score") and value.value is not None and value.value < NEGLIGIBLE:
        return f"< {NEGLIGIBLE:g}"
    return number(*value)


def working_points_table(test: SplitResults) -> Grid:
    """Background efficiency and rejection at the target signal efficiencies; points of the same cut are one row."""
    rows = [
        [
            targeted(number(point.signal_efficiency), [tied.target for tied in (point, *ties)]),
            background_text(point.background_efficiency, point.rejection_limit),
            rejection_text(point.rejection, point.rejection_limit),
            number(point.threshold),
        ]
        for point, *ties in grouped_rows(test.working_points, lambda point: point.threshold)
    ]
    return Grid(
        "ROC curve at fixed signal efficiency (test set)",
        ["signal efficiency", "background efficiency", "rejection", "threshold"],
        rows,
    )


def titles_table(titles: Mapping[str, tuple[str, str]]) -> Grid | None:
    """Title and unit of the features that have labels; None without labels."""
    rows = [[name, plain_title(title), unit] for name, (title, unit) in titles.items()]
    if not rows:
        return None
    return Grid("titles and units of the features", ["", "title", "unit"], rows)


def plain_title(title: str) -> str:
    r"""A title without the signs of mathematical text: `$E_T^{miss}$` is E_T^miss, and `$\Delta\phi$` is Δφ."""
    text = re.sub(r"\\(?:mathrm|text|mathit|rm)\b *", "", title)
    text = re.sub(r"\\([A-Za-z]+) ?", lambda command: _sign(command[1]), text)
    return text.translate(str.maketrans("", "", "${}"))


def _sign(name: str) -> str:
    r"""The sign of a command such as \phi, or its name."""
    if name in SIGNS:
        return SIGNS[name]
    size = "SMALL"
    if name[0].isupper():
        size = "CAPITAL"
    spelt = name.upper().replace("LAMBDA", "LAMDA")  # as Unicode spells it
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {spelt}")
    except KeyError:
        return name


def chosen_points(results: Results) -> Grid | None:
    """The working points whose cuts were chosen on the validation set; None where the study `points` has none."""
    finding = results.studies.get("points")
    if finding is None or not finding.tables:
        return None
    return finding.tables[0]


def confusion_table(classes: tuple[str, ...], test: SplitResults, *, expected: bool = False) -> Grid:
    """Truth by row, decision by column: sums of weights or expected events, and fractions of the true class."""
    title = "confusion matrix of the test set"
    if len(classes) == 2:
        title += f", score ≥ {number(test.threshold)}"
    if expected:
        title += ", expected yields"
    rows = [
        [name, *(cell(weight, fraction) for weight, fraction in zip(weights, fractions, strict=True))]
        for name, weights, fractions in zip(classes, test.confusion.weights, test.confusion.fractions, strict=True)
    ]
    return Grid(title, ["truth", *(f"→ {name}" for name in classes)], rows)


def cell(weight: float, fraction: float) -> str:
    """A cell of the confusion matrix: the sum of weights, and its fraction of the true class where there is one."""
    form = ",.0f" if abs(weight) >= WHOLE else ".4g"
    text = format(weight, ".3g" if abs(weight) >= LARGE else form)
    return f"{text} ({percent(fraction)})" if math.isfinite(fraction) else text


def floor_note(quoted: Significance) -> str | None:
    """A sentence saying that the minimum background limits the best cut; None where it does not."""
    if quoted.floor is None:
        return None
    return (
        "Tighter cuts have a higher expected significance, but leave too few simulated background events in the "
        f"validation set: {with_margin(quoted.floor):.3g} effective ones are needed, which are "
        f"evaluation.minimum_background={quoted.floor:g} and two standard deviations more. MC statistics limit "
        "this cut, which is no optimum."
    )


def significance_table(results: Results) -> Grid | None:
    """Expected events and significance at the best cut, and at the decision threshold where it differs.

    None where neither has a significance.
    """
    title = f"best {NAMES[results.significance.optimised]}"
    if results.significance.floor is not None:
        title += " allowed by minimum_background"
    columns = [(title, results.significance)]
    if results.at_threshold is not None and results.at_threshold is not results.significance:
        columns.append(("threshold", results.at_threshold))
    columns = [(name, quoted) for name, quoted in columns if quoted.cut is not None]
    if not columns:
        return None
    rows = [
        [label, *(_expected_value(quoted, key, digits) for _, quoted in columns)]
        for label, key, digits in (*SIGNIFICANCE, (f"Asimov Z, {uncertainty(results)}", "asimov_systematic", 2))
    ]
    cuts = ["score ≥", *(number(quoted.cut) for _, quoted in columns)]
    best = ", best cut chosen on the validation set" if results.significance.cut is not None else ""
    return Grid(
        f"significance on the test set{best}", ["expected yields", *(name for name, _ in columns)], [cuts, *rows]
    )


def unquoted(results: Results) -> tuple[str, ...]:
    """Why the best cut or the threshold has no significance, a sentence for each."""
    cuts = {"at the best cut": results.significance, "at the threshold": results.at_threshold}
    reasons = {cut: quoted.reason for cut, quoted in cuts.items() if quoted is not None and quoted.reason is not None}
    if len(reasons) == 2 and len(set(reasons.values())) == 1:
        return (f"no significance: {results.significance.reason}",)
    return tuple(f"no significance {cut}: {reason}" for cut, reason in reasons.items())


def uncertainty(results: Results) -> str:
    """`sigma_B = 10 % ⊕ MC stat.`: the uncertainty of the background in a significance."""
    systematic = "" if results.systematic is None else f" = {percent(results.systematic, None)}"
    return f"sigma_B{systematic} ⊕ MC stat."


def uncertainty_note(results: Results) -> str:
    """What the significances are, and what their background uncertainty consists of."""
    systematic = "" if results.systematic is None else f" ({percent(results.systematic, None)} of B)"
    return (
        f"Asimov Z is the median discovery significance; sigma_B adds evaluation.systematic{systematic} and the MC "
        "statistical uncertainty in quadrature (⊕)."
    )


def bullets(results: Results) -> list[str]:
    """The sentences of the studies: problems first; what only says that nothing is wrong is one line, the last."""
    checks = {
        sentence: text for finding in results.studies.values() for sentence, text in passed_checks(finding).items()
    }
    first = problem_sentences(results)
    sentences = [sentence for finding in results.studies.values() for sentence in finding.sentences]
    lines = [*first, *(sentence for sentence in sentences if sentence not in checks and sentence not in first)]
    if checks:
        lines.append(_count_of_checks(list(checks.values()), _not_passed(results)))
    return lines


def _not_passed(results: Results) -> list[str]:
    """The studies that check something and have a sentence other than that all is well."""
    return [
        name.replace("_", " ")
        for name, finding in results.studies.items()
        if problems(finding) or (hasattr(finding, "passed") and finding.sentences and not passed_checks(finding))
    ]


def _count_of_checks(passed: list[str], failed: list[str]) -> str:
    """`No problem found in 1 check: overtraining (p = 1).`, or how many checks were not passed, and which."""
    count = len(passed) + len(failed)
    checks = f"{count} check{'s' if count > 1 else ''}"
    if not failed:
        return f"No problem found in {checks}: {', '.join(passed)}."
    not_passed = f"{len(failed)} not passed ({', '.join(failed)}; see above)"
    return f"{checks}: {not_passed}, {len(passed)} passed: {', '.join(passed)}."


def problem_sentences(results: Results) -> tuple[str, ...]:
    """What the studies say is wrong."""
    return tuple(sentence for finding in results.studies.values() for sentence in problems(finding))


def _expected_value(quoted: Significance, key: str, digits: int) -> str:
    if key == "b" and quoted.b_limit is not None:
        return upper_limit(quoted.b_limit.at_95)
    value: Value = getattr(quoted, key)
    return number(value.value, value.error, digits)
