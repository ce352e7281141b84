"""card.md: the model card that goes with a tagger. It is written from the results and the settings of its run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from hepclf.evaluation.results import Results
from hepclf.presentation.page.headline import headline
from hepclf.presentation.page.page import Provenance
from hepclf.presentation.tables import quality_table, significance_table, working_points_table
from hepclf.scored import SPLITS
from hepclf.words import Grid, number

START = "<!-- intended use: the lines from here to the next mark are yours and are kept -->"
END = "<!-- end of the intended use -->"
TO_WRITE = "*To be written by the author: what this tagger is for, and what it must not be used for.*"
NAMES = {"name": "model", "kept_epoch": "best epoch", "valid_loss": "validation loss"}
PARTS = ("training set", "validation set", "test set")
USE = """\
In the folder of this card:

```console
$ hepclf predict run=. files='ntuples/*.root'      # scores beside new files
$ hepclf evaluate run=. data=NAME                  # its results on other data
$ hepclf export run=. format=onnx                  # for C++ and other frameworks
{again}```

```python
import hepclf

tagger = hepclf.load_tagger("tagger")
scores = tagger.scores(events)  # of hepclf.Events with the features above
```"""


AGAIN = """\
$ hepclf train again=. folder=NEW                  # the same training; data.root=DIR if its files have relative names
"""


def card(
    results: Results,
    contents: Mapping[str, Any],
    settings: Mapping[str, Any],
    provenance: Provenance,
    *,
    earlier: str = "",
) -> str:
    """The card as Markdown.

    contents  of metrics.json
    settings  of config.yaml
    earlier   the card that this one replaces; what its author wrote is kept
    """
    sections = {
        "Intended use": (START, _intended_use(earlier), END),
        "Data": _data(results, contents),
        "Model and training": _model(contents["model"], settings),
        "Results": _results(results),
        "Limits": _limits(results, settings),
        "Environment": [_table(Grid("", ("", ""), list(provenance.environment.items())))],
        "How to use it": [_use(settings)],
    }
    title = f"# {_plain(provenance.title)}"
    if provenance.label:
        title += f" ({_plain(provenance.label)})"
    about = (
        f"A tagger that was trained by hepclf {contents['hepclf']}. The numbers are those of "
        "[metrics.json](metrics.json), with one standard deviation after ±; [report.html](report.html) shows them with "
        "pictures."
    )
    parts = [title, about]
    for heading, paragraphs in sections.items():
        parts += [f"## {heading}", *paragraphs]
    return "\n\n".join(part for part in parts if part) + "\n"


def _use(settings: Mapping[str, Any]) -> str:
    """The commands; an ensemble, whose configuration lists its members, is not trained again."""
    return USE.format(again="" if "members" in settings else AGAIN)


def _intended_use(earlier: str) -> str:
    written = earlier.partition(START)[2].partition(END)[0].strip()
    return written or TO_WRITE


def _data(results: Results, contents: Mapping[str, Any]) -> Iterator[str]:
    data = contents["data"]
    events = [f"{data['events'][split]:,}" for split in SPLITS]
    yield _list(
        [
            f"Data set: `{data['name']}`. How it was read stands in [config.yaml](config.yaml).",
            f"Classes: {_names(data['classes'])}; the signal is `{results.signal}`.",
            f"Features, in this order: {_names(data['features'])}.",
        ]
    )
    yield _table(Grid("", ("", *PARTS), [("events", *events)]))
    yield _plain(results.mixture.sentence)


def _model(model: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    facts = {NAMES.get(name, name): value for name, value in model.items() if isinstance(value, int | float | str)}
    texts = {name: number(value) for name, value in facts.items() if isinstance(value, float)}
    yield _list(f"{name}: {text}" for name, text in (facts | texts).items())
    recipes = {name: settings[name] for name in ("model", "trainer") if name in settings}
    yield f"```yaml\n{yaml.safe_dump(recipes, sort_keys=False)}```"


def _results(results: Results) -> Iterator[str]:
    yield _list(headline(results))
    grids = [quality_table(results, "quality on each set"), significance_table(results)]
    if results.test is not None and results.test.working_points:
        grids.insert(1, working_points_table(results.test))
    for grid in grids:
        if grid is not None:
            yield f"**{grid.title}**"
            yield _table(grid)


def _limits(results: Results, settings: Mapping[str, Any]) -> Iterator[str]:
    """What a user of the tagger has to know: general rules, warnings, and the results of the checks."""
    prior = "the mixture of the training weights"
    if settings.get("trainer", {}).get("balance") == "classes":
        prior = "equal amounts of the classes"
    general = (
        "The results hold for events like those of the test set: same selection, same simulation. Their errors are "
        "statistical.",
        f"A score estimates the probability of a class for {prior}, not for the expected yields.",
        "A feature outside of the range of the training set is extrapolated.",
    )
    studies = results.study_settings
    doubts = [
        sentence
        for name, finding in results.studies.items()
        if getattr(studies.get(name), "page_section", None) == "believe"
        for sentence in finding.sentences
    ]
    yield _list([*general, *(f"Warning: {row.text}" for row in results.warnings), *doubts])


def _table(grid: Grid) -> str:
    rows = [grid.header, ["---"] * len(grid.header), *grid.rows]
    return "\n".join(f"| {' | '.join(_plain(str(cell)) for cell in row)} |" for row in rows)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(line)}" for line in lines)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _plain(text: str) -> str:
    """Text on one line, with the signs escaped that end a table cell or begin a tag."""
    return re.sub(r"\s+", " ", text).replace("<", "&lt;").replace("|", "\\|")
