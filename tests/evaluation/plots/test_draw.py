from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from hepclf.evaluation.plots.draw import draw

ALWAYS = ["confusion", "rejection", "roc", "scores", "significance"]
AWKWARD = ("t$t_bar<script>", "_élan μ→ν $x_1$ and a name that is far too long\nfor one line")


def stems(paths):
    return sorted({path.stem for path in paths})


def test_each_figure_is_a_png_and_a_pdf(judged, sketched, history, plane):
    written = draw(judged(), Path("plots"), history=history, plane=plane, title="gw, mlp")
    assert len(written) == 14
    assert stems(written) == sorted([*ALWAYS, "losses", "decision"])
    assert sorted([*written, Path("plots/pictures.json")]) == sorted(Path("plots").iterdir())
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG" if path.suffix == ".png" else b"%PDF")


def test_the_same_verdict_gives_the_same_bytes(judged, history, plane):
    verdict = judged(AWKWARD, llr=True)
    for folder in ("first", "second"):
        draw(verdict, Path(folder), history=history, plane=plane, title="twice")
    for path in Path("first").iterdir():
        assert path.read_bytes() == Path("second", path.name).read_bytes(), path.name


def test_what_there_are_no_values_for_is_not_drawn(judged, sketched):
    assert stems(draw(judged(minimum_background=1e6), Path("plots"))) == ["confusion", "rejection", "roc", "scores"]


def test_an_older_picture_does_not_stay_beside_new_values(judged, history, sketched):
    draw(judged(), Path("plots"), history=history)
    Path("plots/mine.png").write_bytes(b"the user's own")
    draw(judged(minimum_background=1e6), Path("plots"))
    assert stems(Path("plots").glob("*.*[gf]")) == ["confusion", "mine", "rejection", "roc", "scores"]


def test_a_failing_write_leaves_nothing(judged, monkeypatch):
    def full(self, path, **_):
        Path(path).write_bytes(b"half a picture")
        raise OSError("no space left on device")

    monkeypatch.setattr(FigureCanvasPdf, "print_pdf", full)
    with pytest.raises(OSError, match="no space left"):
        draw(judged(), Path("plots"))
    assert [path.name for path in Path("plots").iterdir()] == ["scores.png"]


def test_a_failing_write_keeps_the_previous_picture(judged, monkeypatch):
    Path("plots").mkdir()
    Path("plots/scores.pdf").write_bytes(b"before")

    def stop(self, path, **_):
        raise OSError("stop")

    monkeypatch.setattr(FigureCanvasPdf, "print_pdf", stop)
    with pytest.raises(OSError, match="stop"):
        draw(judged(signal="background"), Path("plots"))
    assert Path("plots/scores.pdf").read_bytes() == b"before"


def test_settings_of_matplotlib_are_neither_changed_nor_heeded(judged, monkeypatch, sketched):
    draw(judged(), Path("plain"))
    monkeypatch.setitem(matplotlib.rcParams, "axes.facecolor", "red")
    before = dict(matplotlib.rcParams)
    draw(judged(), Path("set"))
    assert dict(matplotlib.rcParams) == before
    assert Path("set/roc.png").read_bytes() == Path("plain/roc.png").read_bytes()


def test_no_window_system_is_touched():
    code = "import sys, hepclf.evaluation.plots.draw; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("classes", [AWKWARD, (*AWKWARD, "Z→νν"), ("a\\", ""), ("_", "b$")])
def test_any_name_can_be_drawn(judged, history, classes, sketched):
    assert len(draw(judged(classes), Path("plots"), history=history, title="$_{\\frac")) == 12


@pytest.mark.parametrize(
    "extreme",
    [
        {"splits": (0, 1)},
        {"splits": (2,)},
        {"n": 12},
        {"weights": lambda n: np.where(np.arange(n) % 7 < 2, -1.0, 1.0)},
        {"weights": lambda n: -np.ones(n)},
        {"weights": lambda n: np.full(n, 1e-9)},
        {"scores": lambda labels: labels * 1.0},
        {"scores": lambda labels: np.full(len(labels), 0.5)},
        {"scores": lambda labels: 1e-9 * (1 + labels)},
    ],
)
def test_extreme_verdicts_are_drawn_without_a_warning(judged, extreme, sketched):
    assert "scores" in stems(draw(judged(**extreme), Path("plots")))
