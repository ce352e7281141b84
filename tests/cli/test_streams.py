"""Closed streams, encodings that lack signs, names that are not UTF-8, and control characters."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hepclf.files import write_text


def shell(code, redirection, **environment):
    """A program in Python, with redirected streams as the shell closes them."""
    command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} {redirection}"
    return subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_with_closed_streams_does_its_work(closed):
    answer = shell(
        "import sys; from hepclf.cli.main import main; sys.argv[1:] = ['--version']; sys.exit(main())", closed
    )
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_file_never_gets_the_number_of_a_closed_stream():
    code = (
        "import os; from hepclf.cli.main import own_process; own_process(lambda: (open('x', 'w'), os.write(1, b'!')))"
    )
    assert shell(code, ">&-").returncode == 0
    assert Path("x").read_bytes() == b""


def test_an_output_in_ascii_spells_signs_out():
    code = "from hepclf.cli.main import own_process; own_process(lambda: print('1 ± 2 \\udcff'))"
    assert shell(code, "", PYTHONIOENCODING="ascii").stdout == "1 +- 2 ?\n"


def test_a_word_that_is_not_utf8_is_refused_at_once(hepclf):
    code, out, err = hepclf("train", "data=csv", "data.files=a\udcff.csv")
    assert (code, out) == (2, "")
    assert err.startswith("hepclf: 'data.files=a\\udcff.csv' is not UTF-8, so that no report could name it; rename")
    assert len(err.splitlines()) == 1


def test_a_report_names_a_folder_that_is_not_utf8(hepclf, mixture_run, monkeypatch):
    Path("a\udcff").mkdir()
    Path("run").rename("a\udcff/run")
    monkeypatch.chdir("a\udcff")
    code, _, err = hepclf("evaluate", "run=run", "out=evaluated", "evaluation.plots=false")
    assert code == 0, err
    assert "a\\udcff" in Path("evaluated/report.html").read_text(encoding="utf-8")


def test_a_byte_that_is_not_utf8_is_written_as_its_escape():
    write_text(Path("x"), "a\udcff é")
    assert Path("x").read_bytes() == b"a\\udcff \xc3\xa9"


def test_an_error_does_not_control_the_terminal(hepclf):
    code, _, err = hepclf("evaluate", "run=\x1b[2Jrun\x9b")
    assert code != 0
    assert "?[2Jrun?" in err
    assert not {"\x1b", "\x9b"} & set(err)
