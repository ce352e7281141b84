"""Copied: a tree with all its branches, and the scores as additional branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hepclf.prediction.friend import FriendTree, storable

NUMBERS = "biuf"


class Group(NamedTuple):
    """Lists that share a counter: the branch that counts, and those that it counts."""

    counter: str
    members: tuple[str, ...]


class BranchLayout(NamedTuple):
    """The branches of a tree to copy: those with a number (or a fixed array) per entry, and lists by their counter."""

    flat: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The branches to read; counters are written with their lists."""
        return (*self.flat, *(name for group in self.groups for name in group.members))

    @property
    def written(self) -> set[str]:
        """The branches that the copy will have."""
        return {*self.names, *(group.counter for group in self.groups)}


def branch_layout(path: Path, tree: str, drop: tuple[str, ...]) -> BranchLayout:
    """How the branches of a tree are copied; one that cannot be written is refused, unless it is dropped."""
    import uproot

    with uproot.open({str(path): None}) as file:
        branches = [
            branch
            for branch in _leaf_branches(file[tree])
            if not any(fnmatchcase(branch.name, pattern) for pattern in drop)
        ]
        kinds = {branch.name: _kind(branch) for branch in branches}
        if len(kinds) < len(branches):
            names = [branch.name for branch in branches]
            duplicate = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"two branches are named {duplicate!r}; drop them")
        if unsupported := [name for name, kind in kinds.items() if kind == "other"]:
            raise ValueError(
                f"branch {unsupported[0]!r} ({len(unsupported)} in all) holds neither numbers nor lists of them, "
                f"which are all that can be copied; drop it with drop=['{unsupported[0]}'], or write a friend tree"
            )
        flat = [name for name, kind in kinds.items() if kind == "flat"]
        lists = {branch.name: _counter(branch) for branch in branches if kinds[branch.name] == "list"}
    return _grouped(flat, lists)


def _grouped(flat: list[str], lists: Mapping[str, str | None]) -> BranchLayout:
    """Lists grouped by their counter. A list without a counter gets a new one, whose name nothing else has."""
    groups: dict[str, list[str]] = {}
    for name, stored_counter in lists.items():
        counter = stored_counter or f"n{name}"
        while stored_counter is None and (counter in flat or counter in lists or counter in groups):
            counter += "_"
        groups.setdefault(counter, []).append(name)
    return BranchLayout(
        tuple(name for name in flat if name not in groups),
        tuple(Group(counter, tuple(members)) for counter, members in groups.items()),
    )


class CopiedTree(FriendTree):
    """A ROOT file with a copy of the tree, and the scores in it."""

    def __init__(self, path: Path, tree: str, blocks: int, layout: BranchLayout) -> None:
        super().__init__(path, tree, blocks)
        self._layout = layout

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Add these entries; lists that share a counter are written as one record with their names."""
        import awkward as ak

        grouped = {name for group in self._layout.groups for name in group.members}
        arrays = {name: _array(column) for name, column in columns.items() if name not in grouped}
        for index, group in enumerate(self._layout.groups):
            lists = {f"{member}": columns[name] for member, name in enumerate(group.members)}
            arrays[f"{index}"] = ak.zip(lists, depth_limit=2)
        if self._tree is None:
            self._create_tree(arrays)
        self._tree.extend(arrays)

    def _create_tree(self, arrays: Mapping[str, Any]) -> None:
        groups = {f"{index}": group for index, group in enumerate(self._layout.groups)}
        types: dict[str, Any] = {}
        for name, array in arrays.items():
            types[name] = array.type.content if name in groups else np.dtype((array.dtype, array.shape[1:]))

        def field_name(record: str | None, member: str) -> str:
            return groups[record].members[int(member)] if record else member

        self._tree = self._file.mktree(
            self._tree_name,
            types,
            initial_basket_capacity=self._blocks,
            counter_name=lambda record: groups[record].counter,
            field_name=field_name,
        )


def _array(column: Any) -> Any:
    """A column of numbers, or of arrays of one shape, as a numpy array in a type that ROOT has."""
    if isinstance(column, np.ndarray):
        return storable(column)
    import awkward as ak

    return storable(ak.to_numpy(column, allow_missing=False))


def _leaf_branches(tree: Any) -> Iterable[Any]:
    """Branches that hold values: not those that only bundle other branches."""
    if hasattr(tree, "cluster_summaries"):
        return list(tree.fields)
    return [branch for branch in tree.values(recursive=True) if not branch.branches]


def _kind(branch: Any) -> str:
    """flat, list or other, by the type of an entry in memory."""
    import uproot

    interpretation = getattr(branch, "interpretation", None)
    if interpretation is None:  # a field of an RNTuple
        return _kind_of_type(branch.array(entry_start=0, entry_stop=0).type.content)
    if isinstance(interpretation, uproot.AsJagged):
        content = interpretation.content
        is_list = isinstance(content, uproot.AsDtype) and _is_numeric(content.to_dtype) and content.to_dtype.shape == ()
        return "list" if is_list else "other"
    if isinstance(interpretation, uproot.AsDtype) and _is_numeric(interpretation.to_dtype):
        return "flat"
    return "other"


def _is_numeric(dtype: Any) -> bool:
    return dtype.names is None and dtype.base.kind in NUMBERS


def _kind_of_type(entry: Any) -> str:
    import awkward as ak

    if isinstance(entry, ak.types.NumpyType):
        return "flat"
    is_list = isinstance(entry, ak.types.ListType) and isinstance(entry.content, ak.types.NumpyType)
    if is_list and entry.parameter("__array__") is None:  # strings are lists with such a parameter
        return "list"
    return "other"


def _counter(branch: Any) -> str | None:
    counter = getattr(branch, "count_branch", None)
    return None if counter is None else str(counter.name)
