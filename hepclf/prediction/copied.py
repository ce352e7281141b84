"""Copied: a tree with all its branches, and the scores as more of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hepclf.prediction.friend import Friend, storable

NUMBERS = "biuf"


class Group(NamedTuple):
    """Lists that share a counter: the branch that counts, and those that it counts."""

    counter: str
    members: tuple[str, ...]


class Layout(NamedTuple):
    """The branches of a tree to copy: those with one number (or a fixed array) an entry, and lists by their counter."""

    flat: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What is read of the tree; counters come back with their lists."""
        return (*self.flat, *(name for group in self.groups for name in group.members))

    @property
    def written(self) -> set[str]:
        """The branches there will be."""
        return {*self.names, *(group.counter for group in self.groups)}


def layout(path: Path, tree: str, drop: tuple[str, ...]) -> Layout:
    """How the branches of a tree are copied; one that cannot be written is refused, unless it is dropped."""
    import uproot

    with uproot.open({str(path): None}) as file:
        branches = [
            each for each in _leaves(file[tree]) if not any(fnmatchcase(each.name, pattern) for pattern in drop)
        ]
        kinds = {each.name: _kind(each) for each in branches}
        if len(kinds) < len(branches):
            names = [each.name for each in branches]
            raise ValueError(f"two branches are named {next(n for n in names if names.count(n) > 1)!r}; drop them")
        if odd := [name for name, kind in kinds.items() if kind == "other"]:
            raise ValueError(
                f"branch {odd[0]!r} ({len(odd)} in all) holds neither numbers nor lists of them, which are all that "
                f"can be copied; drop it with drop=['{odd[0]}'], or write a friend tree"
            )
        flat = [name for name, kind in kinds.items() if kind == "flat"]
        lists = {each.name: _counter(each) for each in branches if kinds[each.name] == "list"}
    return _grouped(flat, lists)


def _grouped(flat: list[str], lists: Mapping[str, str | None]) -> Layout:
    """Lists of one counter together, each other one with a counter of its own, whose name nothing else has."""
    groups: dict[str, list[str]] = {}
    for name, counter in lists.items():
        made = counter or f"n{name}"
        while counter is None and (made in flat or made in lists or made in groups):
            made += "_"
        groups.setdefault(made, []).append(name)
    return Layout(
        tuple(name for name in flat if name not in groups),
        tuple(Group(counter, tuple(members)) for counter, members in groups.items()),
    )


class Copied(Friend):
    """A ROOT file with such a tree."""

    def __init__(self, path: Path, tree: str, blocks: int, layout: Layout) -> None:
        super().__init__(path, tree, blocks)
        self._layout = layout

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries; lists of one counter are written as one record, whose parts get their names back."""
        import awkward as ak

        grouped = {name for group in self._layout.groups for name in group.members}
        made = {name: _array(column) for name, column in columns.items() if name not in grouped}
        for place, group in enumerate(self._layout.groups):
            made[f"{place}"] = ak.zip({f"{i}": columns[name] for i, name in enumerate(group.members)}, depth_limit=2)
        if self._tree is None:
            self._make(made)
        self._tree.extend(made)

    def _make(self, made: Mapping[str, Any]) -> None:
        groups = {f"{place}": group for place, group in enumerate(self._layout.groups)}
        types = {
            name: column.type.content if name in groups else np.dtype((column.dtype, column.shape[1:]))
            for name, column in made.items()
        }
        self._tree = self._file.mktree(
            self._tree_name,
            types,
            initial_basket_capacity=self._blocks,
            counter_name=lambda counted: groups[counted].counter,
            field_name=lambda outer, inner: groups[outer].members[int(inner)] if outer else inner,
        )


def _array(column: Any) -> Any:
    """A column of numbers, or of arrays of one shape, as numpy's."""
    import awkward as ak

    return storable(column if isinstance(column, np.ndarray) else ak.to_numpy(column, allow_missing=False))


def _leaves(tree: Any) -> Iterable[Any]:
    """Branches that hold something themselves: not those that only bundle others."""
    if hasattr(tree, "cluster_summaries"):
        return list(tree.fields)
    return [each for each in tree.values(recursive=True) if not each.branches]


def _kind(branch: Any) -> str:
    """flat, list or other, by what an entry of it would be in memory."""
    import uproot

    interpretation = getattr(branch, "interpretation", None)
    if interpretation is None:  # a field of an RNTuple
        return _kind_of_type(branch.array(entry_start=0, entry_stop=0).type.content)
    if isinstance(interpretation, uproot.AsJagged):
        numbers = isinstance(interpretation.content, uproot.AsDtype) and _plain(interpretation.content.to_dtype)
        return "list" if numbers and interpretation.content.to_dtype.shape == () else "other"
    return "flat" if isinstance(interpretation, uproot.AsDtype) and _plain(interpretation.to_dtype) else "other"


def _plain(dtype: Any) -> bool:
    return dtype.names is None and dtype.base.kind in NUMBERS


def _kind_of_type(kind: Any) -> str:
    import awkward as ak

    if isinstance(kind, ak.types.NumpyType):
        return "flat"
    is_list = isinstance(kind, ak.types.ListType) and isinstance(kind.content, ak.types.NumpyType)
    return "list" if is_list and kind.parameter("__array__") is None else "other"


def _counter(branch: Any) -> str | None:
    counter = getattr(branch, "count_branch", None)
    return None if counter is None else str(counter.name)
