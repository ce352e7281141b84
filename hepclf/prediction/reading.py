"""Reading: the entries of a file, block by block, as a tagger wants them; a few blocks always under way."""

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
from hepclf.data.parts import File, FileError, Part, ahead, inspect_parts
from hepclf.data.table import EntryError
from hepclf.prediction.asked import Asked


class Block(NamedTuple):
    """A stretch of entries.

    features  of the selected entries, float32 [m, d]
    kept      their positions among the entries, or None where all are
    carried   columns of all entries, among them those of the file that were asked for as they are
    """

    entries: int
    features: NDArray[np.float32]
    kept: NDArray[np.intp] | None
    carried: Mapping[str, Any]


def looked(file: File, asked: Asked, chunk: int, readers: Executor) -> Part:
    """A file whose names and types were checked: how many entries it has, and where its blocks begin."""
    with named(file):
        question = asked.of(file.columns)
    part = Part(process=0, file=file, quantities=question)
    inspect_parts([part], readers, chunk=chunk, stored={}, skip=False)
    return part


def blocks(part: Part, asked: Asked, also: tuple[str, ...], readers: Executor) -> Generator[Block, None, None]:
    """All entries of a file, in their order; of an empty file, one block of none. `also` are columns as they are."""
    spans = list(pairwise(part.cuts)) or [(0, 0)]
    yield from ahead((partial(_block, part, asked, also, start, stop) for start, stop in spans), readers)


def _block(part: Part, asked: Asked, also: tuple[str, ...], start: int, stop: int) -> Block:
    with named(part.file, start):
        columns = part.file.read(tuple(dict.fromkeys((*part.quantities.columns, *also))), start, stop)
        chunk = asked.chunk(part.quantities, columns, stop - start)
    table = InMemory(len(asked.inputs), {}, len(chunk.weights))
    table.append(chunk._replace(spectators={}))
    carried = {name: columns[name] for name in also} | chunk.spectators
    return Block(stop - start, table.finish()[FEATURES], chunk.selected, carried)


@contextmanager
def named(file: File, start: int = 0) -> Iterator[None]:
    """Errors in here begin with the file and the entry at fault; that the file is gone is an error of the file."""
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
