"""Pictures that are drawn by several processes, and what becomes of those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from hepclf.presentation.plots.draw import ResultPictures, draw
from hepclf.presentation.plots.index import Part, Written
from hepclf.presentation.plots.workers import DrawingWorkers


@pytest.fixture(scope="module")
def workers():
    with DrawingWorkers(2) as workers:
        yield workers


@dataclass(frozen=True)
class Marks:
    """A drawing whose parts act by their names, in a process that draws."""

    folder: Path

    def draw(self, part: Part) -> Written:
        if part.name == "wrong":
            raise ValueError("wrong")
        if part.name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(1 if part.name == "slow" else 0)
        path = self.folder / part.name
        path.write_text(str(os.getpid()))
        return Written([path], {})


def alive(pid):
    """Whether a process runs; a zombie does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_several_processes_write_the_bytes_of_one(judged, history, workers):
    results = judged()
    single = draw(results, Path("single"), history=history, title="gw, mlp")
    several = draw(results, Path("several"), history=history, title="gw, mlp", workers=workers)
    assert [path.name for path in several] == [path.name for path in single]
    for path in (path for path in Path("single").rglob("*") if path.is_file()):
        assert path.read_bytes() == Path("several", path.relative_to("single")).read_bytes(), path.name


def test_all_parts_are_drawn_by_others(judged, history, workers):
    pictures = ResultPictures(results=judged(), folder=Path(), history=history)
    assert set(workers.drawn(pictures.shared(), pictures.parts)) == set(pictures.parts)


def test_a_study_of_ones_own_is_drawn_here(judged, workers, sketched):
    class Local:
        """No other process can import it."""

        question = "How many?"

        def draw(self, finding):
            assert finding == "finding"
            return Figure()

    results = replace(judged(), studies={"mine": "finding"}, study_settings={"mine": Local()})
    assert Path("study_mine.png") in draw(results, Path(), workers=workers)


def test_a_part_that_fails_is_left_to_the_caller(tmp_path, workers):
    parts = [Part("first"), Part("wrong"), Part("second")]
    assert set(workers.drawn(Marks(tmp_path), parts)) == {Part("first"), Part("second")}


def test_an_error_names_the_part(judged, history):
    with pytest.raises(KeyError) as caught:
        draw(judged(), Path(), history={"epoch": [1]})
    assert caught.value.__notes__ == ["(while the pictures of losses were drawn)"]


def test_a_killed_process_leaves_its_part_to_the_caller_and_leaving_the_block_ends_the_rest(tmp_path, caplog):
    with DrawingWorkers(2) as workers:
        drawn = workers.drawn(Marks(tmp_path), [Part("first"), Part("second"), Part("killed")])
        processes = [int((tmp_path / "second").read_text()), workers._process.pid]
        assert all(map(alive, processes))
    assert set(drawn) == {Part("first"), Part("second")}
    assert "1 of 2 processes that draw have ended too early" in caplog.text
    assert not any(map(alive, processes))


def test_processes_that_still_import_are_ended_at_once():
    with DrawingWorkers(2) as workers:
        process = workers._process
    assert process.returncode == -signal.SIGTERM


def test_one_core_has_no_further_process(judged, sketched):
    with DrawingWorkers(1) as workers:
        assert workers._process is None
        assert draw(judged(), Path(), workers=workers)


DRAWS = """
import sys
from pathlib import Path
from tests.presentation.plots.test_workers import Marks
from hepclf.presentation.plots.index import Part
from hepclf.presentation.plots.workers import DrawingWorkers

with DrawingWorkers(2) as workers:
    workers.drawn(Marks(Path(sys.argv[1])), [Part("first"), Part("second")])
    print((Path(sys.argv[1]) / "first").read_text(), workers._process.pid, flush=True)
    workers.drawn(Marks(Path(sys.argv[1])), [Part("slow")])
"""


def test_a_killed_parent_leaves_no_process(tmp_path):
    root = Path(__file__).parents[3]
    parent = subprocess.Popen([sys.executable, "-c", DRAWS, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root)
    processes = [int(word) for word in parent.stdout.readline().split()]
    parent.kill()
    parent.communicate()
    ends = time.monotonic() + 30
    while any(map(alive, processes)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(map(alive, processes))
