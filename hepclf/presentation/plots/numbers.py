"""The numbers that a picture shows: as CSV, as JSON, and as YAML in the format of HEPData tables."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hepclf.presentation.plots.picture import Series, atomic

NUMBERS = ("csv", "json", "yaml")
SERIES, LOW, HIGH, ERROR = "series", "low", "high", "_error"
# Enough for any plot, and half the file that all digits of a float would be.
DIGITS = 8


def write_numbers(folder: Path, stem: str, series: Sequence[Series]) -> list[Path]:
    """One file a format; none where a picture has no series."""
    if not series:
        return []
    folder.mkdir(exist_ok=True)
    plain = [(one.name, _columns(one.columns)) for one in series]
    texts = {"csv": _csv(plain), "json": _json(plain), "yaml": _hepdata(plain)}
    written = []
    for kind in NUMBERS:
        with atomic(folder / f"{stem}.{kind}") as path:
            path.write_text(texts[kind], encoding="utf-8")
        written.append(folder / f"{stem}.{kind}")
    return written


Plain = Sequence[tuple[str, Mapping[str, list[Any]]]]


def _columns(given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns as plain values; an error of zero, which says that a formula knows no better, is none."""
    found = {name: _plain(column) for name, column in given.items()}
    for name in found:
        if _is_error(name, list(found)):
            found[name] = [one or None for one in found[name]]
    return found


def _plain(column: Any) -> list[Any]:
    """Numbers to some digits, None for what is not finite, text as it is."""
    found = np.asarray(column)
    if found.dtype.kind not in "fiub":
        return [str(one) for one in found.tolist()]
    return [_short(one) for one in found.tolist()]


def _short(number: float) -> float | int | None:
    if isinstance(number, int):
        return int(number)
    return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else None


def _names(series: Plain) -> list[str]:
    return list(dict.fromkeys(name for _, columns in series for name in columns))


def _rows(series: Plain, names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Each row under the name of its series, None in a column that the series does not have."""
    for called, columns in series:
        length = len(next(iter(columns.values()), []))
        for values in zip(*(columns.get(name, [None] * length) for name in names), strict=True):
            yield called, list(values)


def _csv(series: Plain) -> str:
    """A row a point, the name of its series first; what there is no value for is empty."""
    names, text = _names(series), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([SERIES, *names])
    writer.writerows([called, *values] for called, values in _rows(series, names))
    return text.getvalue()


def _json(series: Plain) -> str:
    lines = ",\n".join(
        f' {{"name": {_quoted(name)}, "columns": {json.dumps(columns, ensure_ascii=False, allow_nan=False)}}}'
        for name, columns in series
    )
    return f'{{"series": [\n{lines}\n]}}\n'


def _hepdata(series: Plain) -> str:
    """One table: what the points depend on, the series among it, and the columns with their symmetric errors.

    https://hepdata-submission.readthedocs.io: bins are low and high, `-` stands where there is no value. A JSON text
    is a YAML text, so numbers and quoted names are written as JSON, hundreds of times faster than PyYAML does.
    """
    names = _names(series)
    free = names[:2] if names[:2] == [LOW, HIGH] else names[:1]
    bound = [name for name in names if name not in free and not _is_error(name, names)]
    rows = list(_rows(series, names))
    lines = ["independent_variables:"]
    if len(series) > 1:
        lines += _variable(SERIES, (_value(called) for called, _ in rows))
    at = {name: place for place, name in enumerate(names)}
    if free[:2] == [LOW, HIGH]:
        bins = (f"{{low: {_number(row[at[LOW]])}, high: {_number(row[at[HIGH]])}}}" for _, row in rows)
        lines += _variable("bin", bins)
    else:
        lines += _variable(free[0], (_value(row[at[free[0]]]) for _, row in rows))
    lines.append("dependent_variables:" if bound else "dependent_variables: []")
    for name in bound:
        error = at.get(f"{name}{ERROR}")
        lines += _variable(name, (_value(row[at[name]], None if error is None else row[error]) for _, row in rows))
    return "\n".join(lines) + "\n"


def _is_error(name: str, names: Sequence[str]) -> bool:
    return name.endswith(ERROR) and name.removesuffix(ERROR) in names


def _variable(name: str, values: Iterator[str]) -> list[str]:
    return [f"- header: {{name: {_quoted(name)}}}", "  values:", *(f"  - {value}" for value in values)]


def _value(value: Any, error: float | None = None) -> str:
    found = _quoted(value) if isinstance(value, str) else _number(value)
    return f"{{value: {found}}}" if error is None else f"{{value: {found}, errors: [{{symerror: {_number(error)}}}]}}"


def _number(value: Any) -> str:
    """A number as YAML 1.1 reads it: with a dot before an exponent."""
    if value is None:
        return "'-'"
    text = json.dumps(value)
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def _quoted(text: str) -> str:
    # YAML takes each of JSON's escapes, but no character that JSON leaves unescaped beyond the printable.
    return json.dumps(text)
