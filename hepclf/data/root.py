"""Root: events from the ROOT files of an analysis, TTree or RNTuple, process by process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

from hepclf.data.arrays import missing_array
from hepclf.data.ntuples import Ntuples
from hepclf.data.parts import File, FileError
from hepclf.data.remote import RemoteError
from hepclf.data.remote_names import is_remote
from hepclf.data.samples import Source, SumOfWeights, missing_file
from hepclf.data.vectors import CLASS, Vector, vector_columns, vectors
from hepclf.nearest import nearest
from hepclf.recipe import recipe

TRUNCATED = "expected Chunk of length"  # what uproot says of a file that ends too early
READERS = 2  # threads that fetch bytes of a file
TREES = ("TTree", "TNtuple", "TNtupleD", "TChain", "ROOT::RNTuple", "ROOT::Experimental::RNTuple")
# A block is what the file compressed together. A block of up to so many chunks is read in one piece, because each
# further piece decompresses the block again.
MAX_BLOCK_CHUNKS = 4


@recipe
class Root(Ntuples):
    """Events from ROOT files, TTree or RNTuple, as processes with their classes, weights and cross sections."""

    def open(self, source: Source, tree: str | None, pool: Executor) -> File:
        """A tree of a ROOT file."""
        return RootTree(source, tree, pool)


class RootTree:
    """A TTree or RNTuple, opened at first use and by one thread at a time."""

    def __init__(self, source: Source, tree: str | None, pool: Executor) -> None:
        self.source, self.tree, self.pool = source, tree, pool
        self.name = source.name
        self._lock = Lock()
        self._file: Any = None
        self._tree: Any = None
        self._members: dict[str, tuple[Vector, str]] = {}  # quantities of Lorentz vectors

    @property
    def entries(self) -> int:
        """Number of entries."""
        tree = self._opened()
        with self._guarded():
            return int(tree.num_entries)

    @property
    def columns(self) -> frozenset[str]:
        """The names of its branches, and of the quantities of Lorentz vectors."""
        tree = self._opened()
        with self._guarded():
            return frozenset((*tree.keys(full_paths=False), *self._members))

    def cuts(self, columns: tuple[str, ...], chunk: int) -> list[int]:
        """Clusters of an RNTuple; for a TTree, the starts of the baskets of the branch with the largest ones."""
        tree, columns = self._opened(), self._branches(columns)
        coarse: list[int] = []
        fine: list[int] = []
        with self._guarded():
            if _is_rntuple(tree):
                coarse = fine = [cluster.num_first_entry for cluster in tree.cluster_summaries]
            elif columns:
                # The branch with the fewest baskets has the largest ones.
                branches = sorted((tree[name] for name in columns), key=lambda branch: branch.num_baskets)
                coarse, fine = [*branches[0].entry_offsets], [*branches[-1].entry_offsets]
        return chunk_cuts([*coarse, self.entries], fine, chunk)

    def read(self, columns: tuple[str, ...], start: int, stop: int) -> Mapping[str, Any]:
        """These columns of these entries: flat ones as numpy arrays, jagged ones as awkward arrays."""
        self._opened()
        arrays = self._read(self._branches(columns), start, stop)
        for name in columns:
            if name in self._members and name not in arrays:
                vector, quantity = self._members[name]
                with np.errstate(all="ignore"):
                    arrays[name] = _plain(vector.quantity(quantity, arrays))
        return {name: arrays[name] for name in columns}

    def _branches(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """The branches needed for these columns, each once."""
        vectors = {name: self._members[name][0].branches for name in columns if name in self._members}
        return tuple(dict.fromkeys(branch for name in columns for branch in vectors.get(name, (name,))))

    def _read(self, columns: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        if not columns:
            return {}
        tree = self._opened()
        with self._guarded():
            branches = {name: tree[name] for name in columns}
            flat = [name for name, branch in branches.items() if _is_flat(branch)]
            nested = [name for name in columns if name not in flat]
            arrays: dict[str, Any] = {}
            for names, library in ((flat, "np"), (nested, "ak")):
                if names:
                    # Selected by identity: by name, uproot also takes homonyms, or reads the name as a pattern.
                    chosen = {id(branches[name]) for name in names}
                    filter_name = "filter_field" if _is_rntuple(tree) else "filter_branch"
                    arrays |= tree.arrays(
                        **{filter_name: lambda branch, chosen=chosen: id(branch) in chosen},
                        entry_start=start,
                        entry_stop=stop,
                        library=library,
                        how=dict,
                        decompression_executor=self.pool,
                        interpretation_executor=self.pool,
                        array_cache=None,
                    )
        return {name: _plain(arrays[name]) for name in columns}

    def stored(self, location: SumOfWeights) -> float:
        """The sum of the entries of a branch, of a histogram, or of one of its bins."""
        tree = self._opened()
        if location.histogram is not None:
            return self._integral(location.histogram, location.bin)
        if location.tree is not None:
            tree = self._get(location.tree, "tree")
        with self._guarded():
            names = tree.keys(full_paths=False)
        if location.branch not in names:
            raise ValueError(
                f"sum_of_weights: branch {location.branch!r} is not in tree {location.tree or self.tree!r}"
                f"{nearest(str(location.branch), names)}"
            )
        with self._guarded():
            values = tree[location.branch].array(library="ak")
        column = _plain(values)
        if not isinstance(column, np.ndarray):
            raise ValueError(
                f"the sum of weights must be a number, not {values.type.content} as in branch {location.branch!r}"
            )
        return float(column.sum(dtype=np.float64))

    def _integral(self, name: str, bin: int | None) -> float:
        histogram = self._get(name, "histogram")
        if not hasattr(histogram, "axes"):
            raise ValueError(f"{name!r} is no histogram but a {histogram.classname}")
        with self._guarded():
            values = histogram.values(flow=bin is not None)
        if bin is None:
            return float(values.sum())
        if values.ndim > 1 or bin >= len(values):
            raise ValueError(
                f"bin must be one of 0..{len(values) - 1} of a histogram with one axis, not {bin} "
                f"of {name!r} in {self.source.name}"
            )
        return float(values[bin])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = self._tree = None

    def _opened(self) -> Any:
        """The tree, opened by the first thread that needs it; uproot reads from several threads."""
        with self._lock:
            if self._tree is None:
                self._open()
            return self._tree

    def _open(self) -> None:
        import uproot

        handler = self._handler()
        with self._guarded():
            self._file = uproot.open({self.source.name: None}, handler=handler, num_workers=READERS)
        if self.tree is None:
            trees = self._trees()
            if not trees:
                raise FileError(f"{self.source.name} cannot be read: it holds no tree")
            if len(trees) > 1:
                raise ValueError(f"it holds {', '.join(trees)}; say which to read with tree")
            self.tree = trees[0]
        tree = self._get(self.tree, "tree")
        with self._guarded():
            is_tree = hasattr(tree, "num_entries")
        if not is_tree:
            raise ValueError(f"{self.tree!r} is no tree but a {tree.classname}")
        self.name = f"{self.source.name}, tree {self.tree!r}"
        with self._guarded():
            names = tree.keys(full_paths=False)
            quantities = vector_columns(vectors(names, _lorentz_vectors(tree)))
        self._members = {name: member for name, member in quantities.items() if name not in names}
        self._tree = tree

    def _handler(self) -> Any:
        """uproot's handler that fetches the bytes of the file."""
        if is_remote(self.source.name):
            from hepclf.data.remote_source import RemoteSource

            return RemoteSource
        from uproot import MultithreadedFileSource

        if not self.source.path.is_file():
            raise missing_file(self.source.path)
        # Not the memory map: a file that shrinks while it is read must raise an error; a map would kill the process.
        return MultithreadedFileSource

    def _trees(self) -> list[str]:
        with self._guarded():
            return [name for name, kind in self._file.classnames(cycle=False).items() if kind in TREES]

    def _get(self, name: str, kind: str) -> Any:
        with self._guarded():
            names = self._file.keys(cycle=False)
            if name in names:
                return self._file[name]
        if kind == "tree":
            names = self._trees()
        raise missing_array(kind, name, self.source.name, names)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn what uproot raises on damaged bytes into a FileError."""
        try:
            yield
        except (MemoryError, FileError):
            raise
        except RemoteError as error:
            raise FileError(str(error)) from error
        except Exception as error:
            message = " ".join(str(error).split("\n\n")[0].split()) or type(error).__name__
            if TRUNCATED in message:
                message = "it ends before its data do; is it truncated, or still being written?"
            raise FileError(f"{self.source.name} cannot be read: {message}") from error


def _is_flat(branch: Any) -> bool:
    """Whether it holds one number per entry, which uproot reads faster without awkward array."""
    from uproot import AsDtype

    kind = getattr(branch, "interpretation", None)  # a field of an RNTuple has none
    return isinstance(kind, AsDtype) and kind.to_dtype.shape == () and kind.to_dtype.names is None


def _lorentz_vectors(tree: Any) -> list[str]:
    """The branches that store Lorentz vectors, or lists of them, as whole objects."""
    if _is_rntuple(tree):
        paths = tree.keys(full_paths=True)
        inner = (
            path.partition(".") for path in paths if path.endswith((".fP.fX", ".fCoordinates.fX", ".fCoordinates.fPt"))
        )
        return list(dict.fromkeys(name for name, _, _ in inner))
    return [
        branch.name
        for branch in tree.values(recursive=True)
        if branch.has_member("fClassName") and CLASS in branch.member("fClassName") and not branch.branches
    ]


def _plain(array: Any) -> Any:
    """A flat column as a numpy array, any other as it is."""
    if isinstance(array, np.ndarray):
        return array
    layout = array.layout
    if layout.is_numpy and layout.data.ndim == 1:
        return layout.data
    return array


def _is_rntuple(tree: Any) -> bool:
    return hasattr(tree, "cluster_summaries")


def chunk_cuts(coarse: list[int], fine: list[int], chunk: int) -> list[int]:
    """Where chunks begin and end: at blocks, about a chunk apart; inside a very large block, at finer blocks.

    A block is very large above MAX_BLOCK_CHUNKS chunks.
    """
    blocks = sorted({0, *coarse})
    for low, high in pairwise(blocks.copy()):
        if high - low > MAX_BLOCK_CHUNKS * chunk:
            blocks += [offset for offset in fine if low < offset < high]
    cuts = [0]
    for low, high in pairwise(sorted(blocks)):
        if high - cuts[-1] > chunk and low > cuts[-1]:
            cuts.append(low)
    if len(blocks) > 1:
        cuts.append(max(blocks))
    return cuts
