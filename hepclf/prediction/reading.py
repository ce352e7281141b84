"""Reading: the entries of a file, block by block, as a tagger takes them; the next blocks are read ahead."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hepclf.data.growing import FEATURES, InMemory
from hepclf.data.parts import File, FileError, Part, ahead, inspect_parts, reading
from hepclf.data.table import EntryError
from hepclf.prediction.query import KEY, Query


class EntryBlock(NamedTuple):
    """Consecutive entries of a file.

    features  of the selected entries, float32 [m, d]
    selected  their positions among the entries, or None if all are selected
    carried   columns of all entries: expressions of the user, and branches that are copied
    keys      of the selected entries, from which the member of a tagger follows
    """

    entries: int
    features: NDArray[np.float32]
    selected: NDArray[np.intp] | None
    carried: Mapping[str, Any]
    keys: Mapping[str, NDArray[Any]]


def checked_part(file: File, query: Query, chunk: int, readers: Executor) -> Part:
    """The file with its names and types checked: how many entries it has, and where its blocks begin."""
    with locating_errors(file):
        with reading(file):
            columns = file.columns
        expressions = query.expressions(columns)
    part = Part(process=0, file=file, quantities=expressions)
    inspect_parts([part], readers, chunk=chunk, stored={}, skip=False)
    return part


def entry_blocks(
    part: Part, query: Query, copied: tuple[str, ...], readers: Executor
) -> Generator[EntryBlock, None, None]:
    """All entries of a file, in order; an empty file gives one empty block. `copied` columns are read unchanged."""
    spans = list(pairwise(part.cuts)) or [(0, 0)]
    yield from ahead((partial(_block, part, query, copied, start, stop) for start, stop in spans), readers)


def _block(part: Part, query: Query, copied: tuple[str, ...], start: int, stop: int) -> EntryBlock:
    with locating_errors(part.file, start):
        with reading(part.file):
            columns = part.file.read(tuple(dict.fromkeys((*part.quantities.columns, *copied))), start, stop)
        chunk = query.chunk(part.quantities, columns, stop - start)
    table = InMemory(len(query.inputs), {}, len(chunk.weights))
    table.append(chunk._replace(spectators={}))
    spectators = dict(chunk.spectators)
    selected = slice(None) if chunk.selected is None else chunk.selected
    keys = {name: spectators.pop(KEY + name)[selected] for name in query.keys}
    carried = {name: columns[name] for name in copied} | spectators
    return EntryBlock(stop - start, table.finish()[FEATURES], chunk.selected, carried, keys)


@contextmanager
def locating_errors(file: File, start: int = 0) -> Iterator[None]:
    """Errors in this block begin with the file and the entry at fault; a missing file is a FileError."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(str(error)) from error
    except EntryError as error:
        raise ValueError(
            f"{file.name}, entry {start + error.entry}: {error} with selection='\"isfinite(NAME)\"'"
        ) from error
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from error
