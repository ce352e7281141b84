from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hepclf.data.growing import FEATURES, SPECTATOR, WEIGHTS, InMemory
from hepclf.data.loader import silent
from hepclf.data.parts import (
    KEPT_OPEN,
    FileError,
    Part,
    ahead,
    assign_entries,
    inspect_parts,
    read_parts,
    spectator_dtypes,
)
from hepclf.data.samples import SumOfWeights
from hepclf.data.table import parse_quantities

SUM = SumOfWeights(branch="sumw")


class ArrayFile:
    """A file in memory that notes what is read of it; `damage` is the first entry that cannot be read."""

    def __init__(self, name, damage=sys.maxsize, sumw=0.0, **arrays):
        self.name, self.damage, self.sumw = name, damage, sumw
        self.arrays = {column: np.asarray(values) for column, values in arrays.items()}
        self.reads, self.closed = [], 0

    @property
    def entries(self):
        return len(next(iter(self.arrays.values())))

    @property
    def columns(self):
        return self.arrays

    def cuts(self, columns, chunk):  # noqa: ARG002
        return [*range(0, self.entries, chunk), self.entries]

    def read(self, columns, start, stop):
        self.reads.append((start, stop))
        if stop > self.damage:
            raise FileError(f"{self.name}: damaged")
        return {column: self.arrays[column][start:stop] for column in columns}

    def stored(self, location):  # noqa: ARG002
        return self.sumw

    def close(self):
        self.closed += 1


@pytest.fixture
def readers():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def part(file, process=0, features=("x",), spectators=(), weight=None, selection=None):
    quantities = parse_quantities(
        {name: name for name in features}, {}, {name: name for name in spectators}, weight, (selection,)
    )
    return Part(process=process, file=file, quantities=quantities)


def inspect(parts, readers, chunk=2, stored=None, skip=False):
    inspect_parts(parts, readers, chunk=chunk, stored=stored or {}, skip=skip)
    return parts


def table_of(parts, readers, rows=None, limit=None, chunk=2, skip=False, tell=silent):
    inspect(parts, readers, chunk, skip=skip)
    assign_entries(parts, rows, limit)
    table = InMemory(len(parts[0].quantities.features), spectator_dtypes(parts), 0)
    read_parts(parts, readers, table, skip=skip, tell=tell)
    return table.finish()


def test_an_inspection_reads_names_types_and_stored_sums_but_no_entry(readers):
    file = ArrayFile("a", x=[1.0, 2, 3], n=np.array([4, 5, 6], np.uint16), sumw=7.5)
    (entry,) = inspect([part(file, process=3, spectators=("n",))], readers, stored={3: SUM})
    assert (entry.size, entry.cuts, entry.stored) == (3, [0, 2, 3], 7.5)
    assert entry.columns == {"x", "n"}
    assert entry.dtypes == {"n": np.uint16}
    assert file.reads == [(0, 0)]


def test_only_processes_with_a_stored_sum_are_asked_for_it(readers):
    first, second = inspect(
        [part(ArrayFile(name, x=[1.0], sumw=7.5), process=i) for i, name in enumerate("ab")], readers, stored={1: SUM}
    )
    assert (first.stored, second.stored) == (0, 7.5)


def test_every_file_is_inspected_before_the_first_chunk_is_read(readers):
    files = [ArrayFile("a", x=[1.0]), ArrayFile("b", y=[1.0])]
    with pytest.raises(ValueError, match=r"^b: .*'x'"):
        table_of(list(map(part, files)), readers)
    assert files[0].reads == [(0, 0)]


@pytest.mark.parametrize(("files", "closed"), [(KEPT_OPEN, 0), (KEPT_OPEN + 1, 1)])
def test_only_a_few_files_stay_open_between_inspection_and_reading(readers, files, closed):
    parts = inspect([part(ArrayFile(str(i), x=[1.0])) for i in range(files)], readers)
    assert {entry.file.closed for entry in parts} == {closed}


@pytest.mark.parametrize(
    ("rows", "limit", "entries", "fractions"),
    [
        (None, None, [(0, 4), (0, 0), (0, 6)], [1, 1, 1]),
        (None, 5, [(0, 4), (0, 0), (0, 1)], [1, 1, 1 / 6]),
        ((1, 3), None, [(1, 3), (0, 0), (0, 0)], [0.5, 0, 0]),
        ((3, 8), None, [(3, 4), (0, 0), (0, 4)], [0.25, 1, 4 / 6]),
        ((3, 8), 2, [(3, 4), (0, 0), (0, 1)], [0.25, 1, 1 / 6]),
        ((4, 99), None, [(4, 4), (0, 0), (0, 6)], [0, 1, 1]),
        ((10, 12), None, [(4, 4), (0, 0), (6, 6)], [0, 0, 0]),
    ],
)
def test_ranges_and_limits_count_over_all_files(rows, limit, entries, fractions):
    parts = [part(ArrayFile("f", x=np.zeros(size))) for size in (4, 0, 6)]
    for piece in parts:
        piece.size = piece.file.entries
    assign_entries(parts, rows, limit)
    assert [(piece.first, piece.last) for piece in parts] == entries
    assert [piece.fraction for piece in parts] == pytest.approx(fractions)


def test_a_file_that_is_left_out_takes_no_entry_of_a_range():
    parts = [part(ArrayFile("f", x=np.zeros(4))) for _ in range(2)]
    parts[0].bad, parts[1].size = FileError("gone"), 4
    assign_entries(parts, (1, 3), None)
    assert [piece.entries for piece in parts] == [0, 2]
    assert parts[1].first == 1


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_selected_events_come_in_the_order_of_files_and_entries(readers, chunk):
    columns = {"x": [1.0, 2, 3], "w": [0.5, -1.0, 4]}, {"x": [5.0, 6], "w": [2.0, 8]}
    parts = [part(ArrayFile("f", **arrays), spectators=("w",), weight="w", selection="x != 2") for arrays in columns]
    arrays = table_of(parts, readers, chunk=chunk)
    assert arrays[FEATURES].tolist() == [[1], [3], [5], [6]]
    assert arrays[WEIGHTS].tolist() == arrays[SPECTATOR + "w"].tolist() == [0.5, 4, 2, 8]
    assert [piece.rows for piece in parts] == [2, 2]
    assert [piece.total for piece in parts] == [3.5, 10]  # before the selection


def test_entries_outside_the_range_are_not_read(readers):
    parts = [part(ArrayFile(name, x=np.arange(6.0))) for name in "ab"]
    assert table_of(parts, readers, rows=(3, 7))[FEATURES].ravel().tolist() == [3, 4, 5, 0]
    assert [piece.file.reads for piece in parts] == [[(0, 0), (3, 4), (4, 6)], [(0, 0), (0, 1)]]


def test_progress_counts_the_entries_to_read(readers):
    steps = []
    parts = [part(ArrayFile(name, x=np.arange(3.0)), selection="x > 1") for name in "ab"]
    table_of(parts, readers, limit=5, tell=lambda done, total: steps.append((done, total)))
    assert steps == [(2, 5), (3, 5), (5, 5)]


def test_a_file_is_closed_when_its_last_entry_is_read(readers):
    parts = [part(ArrayFile(name, x=np.arange(5.0))) for name in "ab"]
    table_of(parts, readers, limit=7)
    assert [piece.file.closed for piece in parts] == [1, 1]


def test_a_file_that_breaks_half_way_is_left_out_with_all_its_events(readers):
    damaged, whole = ArrayFile("a", damage=3, x=[1.0, 2, 3, 4, 5, 6]), ArrayFile("b", x=[7.0, 8])
    parts = [part(ArrayFile("o", x=[0.0])), part(damaged), part(whole)]
    assert table_of(parts, readers, skip=True)[FEATURES].ravel().tolist() == [0, 7, 8]
    assert [str(piece.bad) for piece in parts] == ["None", "a: damaged", "None"]


def test_a_file_that_breaks_half_way_stops_a_run_that_skips_none(readers):
    with pytest.raises(FileError, match=r"^a: damaged$"):
        table_of([part(ArrayFile("a", damage=3, x=[1.0, 2, 3, 4]))], readers)


def test_a_wrong_name_is_no_damage_and_never_skipped(readers):
    with pytest.raises(ValueError, match=r"^a: .*'x'"):
        table_of([part(ArrayFile("a", y=[1.0]))], readers, skip=True)


@pytest.mark.parametrize("skip", [True, False])
def test_a_value_at_fault_is_named_by_its_entry_of_the_file_and_never_skipped(readers, skip):
    weights = np.where(np.arange(9) == 7, np.inf, 1)
    with pytest.raises(ValueError, match=r"^a, entry 7: weight 'w' is inf; "):
        table_of([part(ArrayFile("a", x=np.zeros(9), w=weights), weight="w")], readers, rows=(1, 9), skip=skip)


def test_results_come_in_order_however_long_each_takes(readers):
    waits = [0.02, 0, 0.01, 0, 0]
    tasks = [lambda place=place, wait=wait: (time.sleep(wait), place)[1] for place, wait in enumerate(waits)]
    assert list(ahead(tasks, readers)) == [0, 1, 2, 3, 4]


def test_no_more_than_two_results_wait_for_a_slow_caller():
    started = []
    with ThreadPoolExecutor(2) as pool:
        results = ahead((lambda place=place: started.append(place) for place in range(9)), pool)
        next(results)
    results.close()
    assert started == [0, 1, 2]


def test_an_error_cancels_what_has_not_begun():
    running, started = threading.Event(), []

    def fail():
        raise FileError("first")

    with ThreadPoolExecutor(1) as pool:
        tasks = [fail, lambda: running.wait(5), lambda: started.append(2)]
        with pytest.raises(FileError, match="first"):
            list(ahead(tasks, pool))
        running.set()
    assert started == []


@pytest.mark.parametrize(
    ("dtypes", "common"),
    [
        (["u1", "u2"], "u2"),
        (["i4", "u2"], "i4"),
        (["i4", "u4"], "i8"),
        (["f4", "f8"], "f8"),
        (["i8", "f8"], "f8"),  # fractions already, so that no exact value is expected
    ],
)
def test_a_spectator_takes_the_type_that_holds_its_values_in_all_files(dtypes, common):
    parts = [part(ArrayFile("f", x=[0.0])) for _ in dtypes]
    for piece, dtype in zip(parts, dtypes, strict=True):
        piece.dtypes = {"n": np.dtype(dtype)}
    assert spectator_dtypes(parts) == {"n": np.dtype(common)}


def test_integers_that_no_type_holds_exactly_are_refused():
    parts = [part(ArrayFile(name, x=[0.0])) for name in "ab"]
    parts[0].dtypes, parts[1].dtypes = {"n": np.dtype("i8")}, {"n": np.dtype("u8")}
    with pytest.raises(ValueError, match="spectator 'n' is uint64 in b and int64 before, which no one type holds"):
        spectator_dtypes(parts)
