"""YAML and JSON that cannot be read: one line says what is wrong and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from hepclf.files import read_json, read_yaml
from hepclf.recipe import RecipeError, build
from hepclf.training.trainer import Trainer

MALFORMED = {
    "tab": "a:\n\tb: 1\n",
    "unclosed": "a: [1,\n",
    "two colons": "a: b: c\n",
    "twice": "_target_: x\n_target_: y\n",
    "nested": "".join("  " * depth + "a:\n" for depth in range(400)),
    "object": "a: !!python/object/apply:os.system [ls]\n",
    "no anchor": "a: *x\n",
    "null byte": "a: \x00\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "list as key": "? [a, b]\n: 1\n",
    "own default": "defaults: [mine]\n",
    "merge": "<<: 5\n",
    "value": "a: =\n",
}


READ_ALONE = [text for name, text in MALFORMED.items() if name not in ("twice", "own default")]  # Hydra refuses these


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_of_ones_own_is_one_line(hepclf, name):
    Path("lab/model").mkdir(parents=True)
    Path("lab/model/mine.yaml").write_text(MALFORMED[name])
    code, _, err = hepclf("train", "--config-dir", "lab", "model=mine", "data=csv", "data.files=gone.csv")
    assert code in (1, 2)
    assert len(err.splitlines()) == 1
    assert "unexpected" not in err
    assert "mine.yaml" in err or "nested too deeply" in err


def test_help_refuses_a_file_that_is_no_text(hepclf):
    Path("lab/model").mkdir(parents=True)
    Path("lab/model/mine.yaml").write_bytes(b"\xff\xfe")
    code, out, err = hepclf("train", "--help", "--config-dir", "lab")
    assert (code, out, len(err.splitlines())) == (1, "", 1)


@pytest.mark.parametrize("text", ["a: !!bool x\n", "a: !!timestamp x\n", "a: " + "[" * 600 + "]" * 600, *READ_ALONE])
def test_yaml_that_cannot_be_read_is_a_value_error(text):
    Path("x.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"^x\.yaml cannot be read: [^\n]+$"):
        read_yaml(Path("x.yaml"))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"[1" + b"0" * 6000 + b"]"]
)
def test_json_that_cannot_be_read_is_a_value_error(data):
    Path("x.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"^x\.json cannot be read: "):
        read_json(Path("x.json"))


def test_a_run_with_results_that_are_nested_too_deeply_is_one_line(hepclf, mixture_run):
    Path("run/metrics.json").write_text("[" * 100_000)
    code, _, err = hepclf("evaluate", "run=run", "evaluation.plots=false")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "nested too deeply" in err
    assert "metrics.json" in err


def test_a_whole_number_that_no_float_holds_is_refused():
    with pytest.raises(RecipeError, match=r"^trainer\.learning_rate must be a number"):
        build(Trainer, {"learning_rate": 10**400}, "trainer")
