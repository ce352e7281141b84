"""The fuzzer holds what hepclf promises for files of strangers, and sees where a promise breaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parents[1] / "scripts/fuzz"
BREACHES = {
    "forbidden: os.system": "import os; os.system('true')",
    "forbidden: open /": "open('/tmp/hepclf-fuzz-breach', 'a').close()",
    "forbidden: socket.connect": "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
    "forbidden: exec": "exec('1')",
    "forbidden: pickle.find_class": "import pickle; pickle.loads(b'cos\\nsystem\\n.')",
    "more memory than allowed": "bytearray(1 << 32)",
    "KeyError": "{}['x']",
    "the interpreter ended with -11": "import ctypes; ctypes.string_at(0)",
    "more time than allowed": "while True: pass",
    "None": "open('x', 'w').close()",
}


def fuzz(*words):
    command = [sys.executable, str(FUZZ), *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )


def rows(text):
    """The table of the fuzzer: kind and its counts."""
    lines = [line.split() for line in text.splitlines()]
    return {line[0]: [int(word.replace(",", "")) for word in line[1:5]] for line in lines if line[-1:] == ["MB"]}


def test_a_few_hundred_damaged_files_break_no_promise():
    answer = fuzz("--cases", "200", "--workers", "1")
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-2000:]
    assert rows(answer.stdout)["all"][0::3] == [200, 0]
    assert min(tried for tried, *_ in rows(answer.stdout).values()) >= 8


@pytest.mark.slow
def test_ten_thousand_damaged_files_break_no_promise():
    answer = fuzz("--cases", "10000", "--seed", "1")
    assert answer.returncode == 0, answer.stdout[-8000:] + answer.stderr[-2000:]
    assert rows(answer.stdout)["all"][0::3] == [10_000, 0]


def test_each_breach_of_a_promise_is_seen(tmp_path):
    """In a process of its own, as a hook on code execution cannot be taken away."""
    program = f"""
import sys; sys.path.insert(0, {str(FUZZ.parent / "fuzzing")!r})
import pool, hepclf.cli.errors
from functools import partial
from pathlib import Path
pool.PROCESSOR_S = 0.5
BREACHES = {BREACHES!r}
def attack(case, folder):
    code = compile(BREACHES[case.kind], pool.__file__, "exec")
    return partial(eval, code, {{}}) if case.kind != "forbidden: exec" else lambda: exec("1")
sys.path.append({str(FUZZ.parent / "fuzzing")!r})
cases = [pool.Case(kind, 0) for kind in BREACHES]
for case, outcome, _ in pool.outcomes(cases, attack, Path("cases").absolute(), 1):
    print(f"{{case.kind}} | {{outcome.failure}}")
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    seen = dict(line.split(" | ") for line in answer.stdout.splitlines())
    assert set(seen) == set(BREACHES), answer.stderr
    for expected, failure in seen.items():
        assert failure.startswith(expected), seen
