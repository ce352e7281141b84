"""Ntuples: files of processes in any format, as one table of weighted events."""

from __future__ import annotations

import logging
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepclf.data.cache import Reading, check_cache_size, open_cache, read_through
from hepclf.data.declared import Setting, declared
from hepclf.data.growing import FEATURES, SPECTATOR, WEIGHTS, Growing, InFiles, InMemory
from hepclf.data.identity import identity
from hepclf.data.loader import Outline, Tell, silent
from hepclf.data.parts import AHEAD, File, Part, assign_entries, inspect_parts, read_parts, spectator_dtypes
from hepclf.data.remote import RemoteError
from hepclf.data.samples import Sample, Source, SumOfWeights, find_sources, ordered_classes, rooted
from hepclf.data.split import Split
from hepclf.data.table import Quantities, parse_quantities
from hepclf.data.tally import Tally, scale, tally_parts
from hepclf.data.titles import Titles
from hepclf.events import Events, Origin
from hepclf.recipe import describe, recipe
from hepclf.words import first_repeated

logger = logging.getLogger(__name__)

MOST_RESERVED = 1 << 24  # rows for which there is room at once: a damaged file may declare any number
LOOKING = 8  # files whose state is asked for at once, as servers take their time

# The table of columns and unscaled weights does not depend on these settings.
IRRELEVANT_SETTINGS = {
    *("root", "classes", "luminosity_fb", "chunk", "threads", "on_bad_file", "cache", "cache_gb", "check", "split"),
    "labels",
}
IRRELEVANT_SAMPLE_SETTINGS = ("name", "class", "cross_section_pb", "cross_section_fb", "k_factor", "filter_efficiency")


@recipe
class Ntuples(ABC):
    """Events from files of processes with their classes, weights and cross sections.

    Features, spectators, selections and weights are expressions of the columns; only these are read.

    root           the folder that relative names of files start from; by default the one that the program runs in
    features       expressions, or name -> expression
    leading        jagged column -> so many of its first objects as features: Jet_pt_0, Jet_pt_1..., NaN where absent;
                   or an array with a shape per event -> that shape: [40, 40] gives image_0_0, image_0_1...
    luminosity_fb  scales each sample to its expected yield; without it, weights count as they are
    missing        sentinels of a missing value, such as [-999], in all features; or feature or column -> its sentinels
    classes        in their order; by default that of the samples, a class named background first
    max_events     read at most so many entries of each sample
    chunk          entries read at a time; at least as many as the file stores together
    on_bad_file    skip: leave out a file that cannot be read, and its part of the normalisation
    cache          keep the table on disk for the next time: in the user's cache folder, another folder, or not at all
    cache_gb       size limit of that folder; tables that were used longest ago are removed
    check          a training warns about suspicious events
    labels         feature or spectator -> its title, or its title and unit, in pictures

    With a luminosity, weight = w x cross section x k-factor x filter efficiency x luminosity / sum of weights.
    If max_events leaves entries out, that sum is the one over the entries read (sum_of_weights: events), or the
    stated one times the fraction of entries read; the yields remain those of the whole sample.
    """

    samples: tuple[Sample, ...]
    root: str | None = None
    features: tuple[str, ...] | Mapping[str, str] = ()
    leading: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict)
    spectators: tuple[str, ...] | Mapping[str, str] = ()
    tree: str | None = None
    weight: str | float | None = None
    selection: str | None = None
    missing: Setting = ()
    luminosity_fb: float | None = None
    classes: tuple[str, ...] = ()
    max_events: int | None = None
    chunk: int = 100_000
    threads: int | None = None
    on_bad_file: Literal["error", "skip"] = "error"
    cache: bool | str = True
    cache_gb: float = 20.0
    check: bool = True
    labels: Titles = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        ordered_classes(self.samples, self.classes)
        for name in ("chunk", "threads", "max_events"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.luminosity_fb is not None:
            if not 0 < self.luminosity_fb < math.inf:
                raise ValueError(f"luminosity_fb must be above 0, not {self.luminosity_fb:g}")
            for sample in self.samples:
                sample.expected(self.luminosity_fb)
        check_cache_size(self.cache_gb)
        for sample in self.samples:
            self._quantities(sample).check_missing()

    @abstractmethod
    def open(self, source: Source, tree: str | None, pool: Executor) -> File:
        """A file of this format; its blocks are decompressed in this pool."""

    def outline(self) -> Outline:
        """Its classes, processes and columns, which the settings name."""
        columns = self._quantities(self.samples[0])
        return Outline(
            classes=ordered_classes(self.samples, self.classes),
            processes=tuple(sample.name for sample in self.samples),
            features=tuple(columns.features),
            spectators=tuple(columns.spectators),
            luminosity_fb=self.luminosity_fb,
        )

    def load(self) -> Events:
        """The selected events of all samples, in the order of samples, files and entries."""
        return self.load_watched(silent)

    def load_watched(self, tell: Tell) -> Events:
        """The same; the number of entries read and the total are reported."""
        if not self.features and not self.leading:
            raise ValueError("features must name at least one, not none")
        names = ", ".join(sample.name for sample in self.samples)
        arrays, notes, _ = read_through(
            open_cache(self.cache, self.cache_gb), self._content, names, lambda folder: self._read(folder, tell)
        )
        return self._events(arrays, [Tally(*values)._replace(notes=tuple(values[-1])) for values in notes])

    def _content(self) -> Any:
        """All that the table depends on: the files in their present state, and what is read from them."""
        content = {key: value for key, value in describe(self).items() if key not in IRRELEVANT_SETTINGS}
        for sample, described in zip(self.samples, content["samples"], strict=True):
            try:
                sources = find_sources(rooted(sample.files, self.root))
                with ThreadPoolExecutor(LOOKING) as looking:
                    states = list(looking.map(identity, [source.name for source in sources]))
            except (OSError, ValueError) as error:
                if isinstance(error, RemoteError) and self.on_bad_file == "error":
                    raise  # a server was waited for long enough
                return None  # the reading says why, or skips it
            described["files"] = [[state, source.tree] for state, source in zip(states, sources, strict=True)]
            for key in IRRELEVANT_SAMPLE_SETTINGS:
                del described[key]
            if self.luminosity_fb is None or not isinstance(sample.sum_of_weights, SumOfWeights):
                del described["sum_of_weights"]
        return content

    def _read(self, folder: Path | None, tell: Tell) -> Reading:
        """The arrays of the table, in files of this folder if it is given, and the tally of each sample."""
        skip = self.on_bad_file == "skip"
        stored = {
            process: sample.sum_of_weights
            for process, sample in enumerate(self.samples)
            if self.luminosity_fb is not None and isinstance(sample.sum_of_weights, SumOfWeights)
        }
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.threads or _cores()))
            readers = stack.enter_context(ThreadPoolExecutor(AHEAD))
            parts_by_sample = [self._parts(process, pool) for process in range(len(self.samples))]
            parts = [part for sample in parts_by_sample for part in sample]
            for part in parts:
                stack.callback(part.file.close)
            inspect_parts(parts, readers, chunk=self.chunk, stored=stored, skip=skip)
            for sample, sample_parts in zip(self.samples, parts_by_sample, strict=True):
                assign_entries(sample_parts, sample.rows, sample.max_events or self.max_events)
            table = stack.enter_context(closing(self._table(parts, folder)))
            read_parts(parts, readers, table, skip=skip, tell=tell)
            arrays = table.finish()
        tallies = list(map(tally_parts, self.samples, parts_by_sample))
        return Reading(arrays, tallies, keep=not any(tally.bad for tally in tallies))

    def _table(self, parts: list[Part], folder: Path | None) -> Growing:
        """An empty table with room for the entries of these parts."""
        features, kinds = len(parts[0].quantities.features), spectator_dtypes(parts)
        if folder is not None:
            return InFiles(features, kinds, folder)
        expected = min(sum(part.entries for part in parts), MOST_RESERVED)
        if any(part.quantities.selections for part in parts):
            # How many pass the selection is unknown, so the table begins small and grows.
            expected = min(expected, self.chunk)
        return InMemory(features, kinds, expected)

    def _parts(self, process: int, pool: Executor) -> list[Part]:
        sample = self.samples[process]
        quantities = self._quantities(sample)
        return [
            Part(
                process=process,
                file=self.open(source, source.tree or sample.tree or self.tree, pool),
                quantities=quantities,
            )
            for source in find_sources(rooted(sample.files, self.root))
        ]

    def _quantities(self, sample: Sample) -> Quantities:
        weight = self.weight if sample.weight is None else sample.weight
        text = None if weight is None else str(weight)
        return parse_quantities(
            features=_named(self.features, "features"),
            leading=self.leading,
            spectators=_named(self.spectators, "spectators"),
            weight=text,
            selections=(self.selection, sample.selection),
            missing=declared(self.missing),
        )

    def _events(self, arrays: Mapping[str, NDArray[Any]], tallies: list[Tally]) -> Events:
        """The table as events, weights scaled sample by sample."""
        all_weights = np.array(arrays[WEIGHTS])
        classes = ordered_classes(self.samples, self.classes)
        self._check_classes(classes, tallies)
        rows = [tally.selected for tally in tallies]
        starts = np.cumsum([0, *rows])
        for process, (sample, tally) in enumerate(zip(self.samples, tallies, strict=True)):
            weights = all_weights[starts[process] : starts[process + 1]]
            weights *= scale(sample, tally, self.luminosity_fb)
            _report(sample, tally, weights.sum())
        labels = np.array([classes.index(sample.class_) for sample in self.samples])
        quantities = self._quantities(self.samples[0])
        return Events(
            features=arrays[FEATURES],
            labels=np.repeat(labels, rows),
            names=tuple(quantities.features),
            sentinels=quantities.sentinels,
            weights=all_weights,
            classes=classes,
            processes=np.repeat(np.arange(len(rows)), rows),
            process_names=tuple(sample.name for sample in self.samples),
            spectators={
                name.removeprefix(SPECTATOR): column for name, column in arrays.items() if name.startswith(SPECTATOR)
            },
            origins=tuple(
                Origin(sample.name, tally.files, tally.entries, tally.selected, tally.notes)
                for sample, tally in zip(self.samples, tallies, strict=True)
            ),
        )

    def _check_classes(self, classes: tuple[str, ...], tallies: list[Tally]) -> None:
        for name in classes:
            members = [
                (sample, tally) for sample, tally in zip(self.samples, tallies, strict=True) if sample.class_ == name
            ]
            if any(tally.selected for _, tally in members):
                continue
            entries = sum(tally.entries for _, tally in members)
            if entries == 0:
                raise ValueError(
                    f"class {name!r} has no events: its files, such as {members[0][1].first}, hold no entries"
                )
            selections = (selection for sample, _ in members for selection in self._quantities(sample).selections)
            cuts = " and ".join(dict.fromkeys(selection.text for selection in selections))
            raise ValueError(
                f"class {name!r} has no events: the selection '{cuts}' keeps none of its {entries:,} entries"
            )


def _cores() -> int:
    """The cores that this process may use: from its affinity mask, and from OMP_NUM_THREADS if it is set."""
    mask = getattr(os, "sched_getaffinity", None)
    cores = len(mask(0)) if mask else os.cpu_count() or 1
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first.isdecimal() and int(first):
        cores = min(cores, int(first))
    return cores


def _named(texts: tuple[str, ...] | Mapping[str, str], setting: str) -> dict[str, str]:
    if isinstance(texts, Mapping):
        return dict(texts)
    if repeated := first_repeated(texts):
        raise ValueError(f"{setting} must be different names, not {repeated!r} twice")
    return {text: text for text in texts}


def _report(sample: Sample, tally: Tally, total: float) -> None:
    for note in tally.notes:
        logger.warning("%s: %s", sample.name, note)
    level = logging.INFO if tally.selected else logging.WARNING
    logger.log(
        level,
        "%s: %s of %s entries selected in %d files, sum of weights %.6g",
        *(sample.name, f"{tally.selected:,}", f"{tally.entries:,}", tally.files, total),
    )
