"""Samples: the processes of an analysis, their files, and the yield that each stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from hepclf.data.remote_names import expanded, is_remote
from hepclf.nearest import nearest
from hepclf.recipe import recipe

FIRST = "background"  # the class that comes first wherever it is named


class Source(NamedTuple):
    """A file, by its path or URL, and the tree to read, if the name contains one."""

    name: str
    tree: str | None

    @property
    def path(self) -> Path:
        """Its path on this machine."""
        if is_remote(self.name):
            raise ValueError(f"file '{self.name}' is remote, which data=root alone reads; copy it here first")
        return Path(self.name)


@recipe
class SumOfWeights:
    """Where the files store their sum of generator weights: a branch (summed), a histogram, or one of its bins.

    tree  of the branch, such as Runs; by default that of the events
    bin   as ROOT counts: 1 is the first, 0 the underflow; by default the integral without under- and overflow
    """

    branch: str | None = None
    tree: str | None = None
    histogram: str | None = None
    bin: int | None = None

    def __post_init__(self) -> None:
        if (self.branch is None) == (self.histogram is None):
            raise ValueError("sum_of_weights must name a branch or a histogram, one of the two")
        if self.branch is None and self.tree is not None:
            raise ValueError("tree is that of a branch; name the histogram with its folder, such as dir/name")
        if self.histogram is None and self.bin is not None:
            raise ValueError("bin is that of a histogram; drop it, or name one")
        if self.bin is not None and self.bin < 0:
            raise ValueError(f"bin must be at least 0, the underflow, not {self.bin}")


@recipe
class Sample:
    """The events of one process.

    files              paths, root:// URLs, patterns (~ for home), file.root:tree, .txt files that list such names
    class_             the class its events belong to, `class` in YAML
    tree, weight       of this sample, in place of the loader's
    selection          in addition to the loader's selection
    cross_section_pb   or cross_section_fb; like the next three settings, used only with a luminosity
    k_factor           best cross section divided by the stated one
    filter_efficiency  of cuts at generation, which the cross section does not include
    sum_of_weights     of all generated events, before any cut: a number, where the files store it, or events:
                       the sum of the weight over the entries that were read
    rows               [start, stop]: read only these entries, counted from 0 over all files
    max_events         read so many entries at most, in place of the loader's limit
    """

    name: str
    class_: str
    files: str | tuple[str, ...]
    tree: str | None = None
    weight: str | float | None = None
    selection: str | None = None
    cross_section_pb: float | None = None
    cross_section_fb: float | None = None
    k_factor: float = 1.0
    filter_efficiency: float = 1.0
    sum_of_weights: float | Literal["events"] | SumOfWeights = "events"
    rows: tuple[int, int] | None = None
    max_events: int | None = None

    def __post_init__(self) -> None:
        if self.cross_section_pb is not None and self.cross_section_fb is not None:
            raise ValueError(
                f"cross_section_pb={self.cross_section_pb:g} and cross_section_fb={self.cross_section_fb:g} "
                f"are both given for sample {self.name!r}; keep one"
            )
        for name in ("cross_section_pb", "cross_section_fb", "k_factor", "filter_efficiency"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"{name} must be above 0, not {value:g} for sample {self.name!r}")
        if self.filter_efficiency > 1:
            raise ValueError(
                f"filter_efficiency must be at most 1, not {self.filter_efficiency:g} for sample {self.name!r}"
            )
        if isinstance(self.sum_of_weights, (int, float)) and not 0 < self.sum_of_weights < np.inf:
            raise ValueError(f"sum_of_weights must be above 0, not {self.sum_of_weights:g} for sample {self.name!r}")
        if self.rows is not None and not 0 <= self.rows[0] < self.rows[1]:
            raise ValueError(
                f"rows must be [start, stop] with 0 <= start < stop, not {list(self.rows)} for sample {self.name!r}"
            )
        if self.max_events is not None and self.max_events < 1:
            raise ValueError(f"max_events must be at least 1, not {self.max_events}")

    def expected(self, luminosity_fb: float) -> float:
        """Expected events before any cut: luminosity x cross section x k-factor x filter efficiency."""
        if self.cross_section_fb is None and self.cross_section_pb is None:
            raise ValueError(
                f"sample {self.name!r} has no cross section, which luminosity_fb={luminosity_fb:g} needs; "
                "give it cross_section_pb or cross_section_fb, or set luminosity_fb=null"
            )
        femtobarn = self.cross_section_fb or 0.0
        if self.cross_section_pb is not None:
            femtobarn = 1000 * self.cross_section_pb
        return luminosity_fb * float(femtobarn) * self.k_factor * self.filter_efficiency


def ordered_classes(samples: tuple[Sample, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes in the order of the setting; by default in that of the samples, with `background` first."""
    names = [sample.name for sample in samples]
    if not samples:
        raise ValueError("samples must list at least one process, not none")
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two samples are named {repeated!r}; give each process a name of its own")
    used = tuple(dict.fromkeys(sample.class_ for sample in samples))
    if not classes:
        return tuple(sorted(used, key=lambda name: name != FIRST))
    if repeated := next((name for name in classes if classes.count(name) > 1), None):
        raise ValueError(f"classes must be different names, not {repeated!r} twice")
    for sample in samples:
        if sample.class_ not in classes:
            raise ValueError(
                f"class {sample.class_!r} of sample {sample.name!r} is not in classes" + nearest(sample.class_, classes)
            )
    if empty := next((name for name in classes if name not in used), None):
        raise ValueError(f"class {empty!r} of classes has no sample{nearest(empty, used)}")
    return classes


def rooted(files: str | tuple[str, ...], root: str | None) -> str | tuple[str, ...]:
    """The names of files; relative names are below this folder, which may be on a server."""
    if root is None:
        return files
    if not isinstance(files, str):
        return tuple(str(rooted(name, root)) for name in files)
    if is_remote(files) or Path(files).expanduser().is_absolute():
        return files
    if is_remote(root):
        return f"{root.rstrip('/')}/{files}"
    return str(Path(root).expanduser() / files)


def find_sources(files: str | tuple[str, ...]) -> list[Source]:
    """The files that these names stand for, in the order of the names; matches of a pattern in alphabetical order."""
    names = (files,) if isinstance(files, str) else files
    sources = [source for name in names for source in _sources(name)]
    if not sources:
        raise ValueError("files must name at least one file, not none")
    seen: set[Source] = set()
    for source in sources:
        if source in seen:
            raise ValueError(f"file '{source.name}' is named twice; its events would count double")
        seen.add(source)
    return sources


def _sources(text: str, folder: Path | None = None) -> Iterator[Source]:
    if is_remote(text):
        yield from (Source(url, tree) for url, tree in expanded(text))
        return
    name, mark, tree = text.partition(".root:")
    if mark:
        text = f"{name}.root"
    path = Path(text).expanduser()
    if folder is not None:
        path = folder / path
    is_pattern = any(sign in path.name for sign in "*?[") or "*" in str(path)
    if is_pattern and not path.is_file():
        matches = sorted(match for match in _matches(path) if match.is_file())
        if not matches:
            raise FileNotFoundError(f"no file matches '{path}'")
        yield from (Source(str(match), tree or None) for match in matches)
    elif path.is_dir():
        raise ValueError(f"file '{path}' is a folder; name files in it, such as '{path / '*.root'}'")
    elif path.suffix == ".txt" and path.is_file() and folder is None:
        yield from _sources_in_list(path)
    else:
        yield Source(str(path), tree or None)


def _matches(path: Path) -> Iterator[Path]:
    """The paths that match a pattern; a folder whose own name has brackets is taken as it is."""
    folder, parts = Path(path.anchor), path.relative_to(path.anchor).parts
    while len(parts) > 1 and (folder / parts[0]).is_dir():
        folder, parts = folder / parts[0], parts[1:]
    return folder.glob("/".join(parts))


def _sources_in_list(path: Path) -> Iterator[Source]:
    """The files that a text file lists, one per line, relative to its folder."""
    lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    names = [line for line in lines if line]
    if not names:
        raise ValueError(f"'{path}' lists no files; write one name a line")
    for name in names:
        yield from _sources(name, path.parent)


def missing_file(path: Path, spelling: str | None = None) -> FileNotFoundError:
    """The error for a file that does not exist, as the user spelled it, with the nearest names in its folder."""
    siblings: list[str] = []
    if path.parent.is_dir():
        siblings = sorted(sibling.name for sibling in path.parent.iterdir() if sibling.is_file())
    hint = nearest(path.name, siblings) if siblings else ""
    return FileNotFoundError(f"file '{spelling or path}' does not exist{hint}")
