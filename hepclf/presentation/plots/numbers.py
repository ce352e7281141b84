"""The numbers that a picture shows: as CSV, as JSON, and as YAML in the format of HEPData tables."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.files import write_text
from hepclf.presentation.plots.index import NUMBERS
from hepclf.presentation.plots.picture import Series

SERIES, LOW, HIGH, ERROR = "series", "low", "high", "_error"
DIGITS = 8  # enough for any plot, in half the file size of all digits


def write_numbers(folder: Path, stem: str, series: Sequence[Series]) -> list[Path]:
    """Write one file for each format; none where a picture has no series."""
    if not series:
        return []
    folder.mkdir(exist_ok=True)
    plain = [(name, _plain_columns(columns)) for name, columns in series]
    texts = {"csv": _csv(plain), "json": _json(plain), "yaml": _hepdata(plain)}
    written = []
    for kind in NUMBERS:
        write_text(folder / f"{stem}.{kind}", texts[kind])
        written.append(folder / f"{stem}.{kind}")
    return written


# The name and the columns of each series.
PlainSeries = Sequence[tuple[str, Mapping[str, list[Any]]]]


def _plain_columns(arrays: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns as plain values; an error of zero becomes None, as it stands for an unknown error."""
    columns = {name: _plain_values(column) for name, column in arrays.items()}
    for name in columns:
        if _is_error(name, list(columns)):
            columns[name] = [error or None for error in columns[name]]
    return columns


def _plain_values(column: Any) -> list[Any]:
    """Numbers rounded to DIGITS, None for those that are not finite, text as it is."""
    values = np.asarray(column)
    if values.dtype.kind not in "fiub":
        return [str(value) for value in values.tolist()]
    return [_short(value) for value in values.tolist()]


def _short(number: float) -> float | int | None:
    if isinstance(number, int):
        return int(number)
    if not math.isfinite(number):
        return None
    return float(f"{number:.{DIGITS}g}")


def _column_names(series: PlainSeries) -> list[str]:
    return list(dict.fromkeys(name for _, columns in series for name in columns))


def _rows(series: PlainSeries, names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Each row with the name of its series; None stands in a column that the series does not have."""
    for series_name, columns in series:
        length = len(next(iter(columns.values()), []))
        for values in zip(*(columns.get(name, [None] * length) for name in names), strict=True):
            yield series_name, list(values)


def _csv(series: PlainSeries) -> str:
    """A row for each point, with the name of its series first; a missing value is an empty cell."""
    names, text = _column_names(series), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([SERIES, *names])
    writer.writerows([series_name, *values] for series_name, values in _rows(series, names))
    return text.getvalue()


def _json(series: PlainSeries) -> str:
    lines = ",\n".join(
        f' {{"name": {json.dumps(name)}, "columns": {json.dumps(columns, ensure_ascii=False, allow_nan=False)}}}'
        for name, columns in series
    )
    return f'{{"series": [\n{lines}\n]}}\n'


def _hepdata(series: PlainSeries) -> str:
    """One table: the independent variables, the series among them, and the dependent ones with symmetric errors.

    https://hepdata-submission.readthedocs.io: bins are low and high, `-` stands where there is no value. A JSON text
    is a YAML text, so numbers and quoted names are written as JSON, hundreds of times faster than PyYAML does.
    """
    names = _column_names(series)
    independent = names[:1]
    if names[:2] == [LOW, HIGH]:
        independent = names[:2]
    dependent = [name for name in names if name not in independent and not _is_error(name, names)]
    rows = list(_rows(series, names))
    lines = ["independent_variables:"]
    if len(series) > 1:
        lines += _variable(SERIES, (_value(series_name) for series_name, _ in rows))
    position = {name: i for i, name in enumerate(names)}
    if independent[:2] == [LOW, HIGH]:
        bins = (f"{{low: {_number(row[position[LOW]])}, high: {_number(row[position[HIGH]])}}}" for _, row in rows)
        lines += _variable("bin", bins)
    else:
        lines += _variable(independent[0], (_value(row[position[independent[0]]]) for _, row in rows))
    lines.append("dependent_variables:" + " []" * (not dependent))
    for name in dependent:
        errors: Iterator[Any] = repeat(None, len(rows))
        if (error := position.get(f"{name}{ERROR}")) is not None:
            errors = (row[error] for _, row in rows)
        values = (row[position[name]] for _, row in rows)
        lines += _variable(name, map(_value, values, errors))
    return "\n".join(lines) + "\n"


def _is_error(name: str, names: Sequence[str]) -> bool:
    return name.endswith(ERROR) and name.removesuffix(ERROR) in names


def _variable(name: str, values: Iterator[str]) -> list[str]:
    return [f"- header: {{name: {_quoted(name)}}}", "  values:", *(f"  - {value}" for value in values)]


def _value(value: Any, error: float | None = None) -> str:
    text = _number(value)
    if isinstance(value, str):
        text = _quoted(value)
    if error is None:
        return f"{{value: {text}}}"
    return f"{{value: {text}, errors: [{{symerror: {_number(error)}}}]}}"


def _number(value: Any) -> str:
    """A number as YAML 1.1 reads it: with a dot before an exponent."""
    if value is None:
        return "'-'"
    text = json.dumps(value)
    if "." in text:
        return text
    return text.replace("e", ".0e")


def _quoted(text: str) -> str:
    """A text in YAML. JSON's escapes are YAML's too, but not its two for one character beyond U+FFFF."""
    if max(text, default="") <= "\uffff":
        return json.dumps(text)
    escaped = (f"\\U{ord(sign):08X}" if sign > "\uffff" else json.dumps(sign)[1:-1] for sign in text)
    return f'"{"".join(escaped)}"'
