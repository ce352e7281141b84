"""The site: it builds, it leaves nothing out, and its notebook runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hepclf

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NOTEBOOK = DOCS / "first_steps.ipynb"


@pytest.fixture(scope="module")
def site_pages():
    spec = importlib.util.spec_from_file_location("site_pages", DOCS / "site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_is_in_the_reference():
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    missing = {name for name in hepclf.__all__ if f":: hepclf.{name}\n" not in page}
    assert not missing


def test_every_decision_is_in_the_index():
    index = (DOCS / "adr/README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in index for path in (DOCS / "adr").glob("0*.md"))


def test_the_settings_hold_every_file_of_configs(site_pages):
    page = site_pages.settings(ROOT / "configs")
    assert "### `hepclf train`" in page.split("## data")[0]
    assert "### `data=root`" in page
    for path in (ROOT / "configs").rglob("*.yaml"):
        assert path.read_text(encoding="utf-8") in page


def test_docstrings_become_lists_and_formulas(site_pages):
    lines = [
        "A *first* line with a_name and `code`.",
        "",
        "    x = a * b",
        "",
        "one, two   their meaning",
        "   in two lines",
    ]
    lines = site_pages.restructured(lines)
    assert lines[0] == r"A \*first\* line with a\_name and ``code``."
    assert lines[2:5] == ["::", "", "    x = a * b"]
    assert lines[6:9] == ["``one, two``", "    their meaning", "    in two lines"]


def test_signatures_have_types_and_defaults_as_the_source_has_them(site_pages):
    assert site_pages.signature(hepclf.new_folder) == "(runs: Path | str, name: str)"
    assert site_pages.signature(hepclf.Tagger) == ""  # which is a protocol, so that nobody calls it
    evaluation = site_pages.signature(hepclf.Evaluation)
    assert evaluation.startswith("(*, optimise: Optimise = 'asimov', systematic: float = 0.1,")
    assert "yields: Mapping[str, float] = {}, " in evaluation
    assert "bands: Bands | None = Bands(), " in evaluation


def test_a_notebook_becomes_markdown_with_its_outputs(site_pages):
    outputs = [{"text": ["2\n"]}, {"data": {"image/png": "QUJD\n", "text/plain": ["<Figure>"]}}]
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["print(2)"], "outputs": outputs},
    ]
    page = site_pages.markdown({"cells": cells})
    assert page.startswith("# Title\n\n```python\nprint(2)\n```\n\n```text\n2\n")
    assert "base64,QUJD" in page
    assert "<Figure>" not in page


def code_cells():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom():
    namespace = {}
    for number, code in enumerate(code_cells(), start=1):
        exec(compile(code, f"first_steps.ipynb, cell {number}", "exec"), namespace)
    assert namespace["test"].auc.value > 0.95
    assert (namespace["trained"].run.report).is_file()


@pytest.mark.slow
def test_the_site_builds_without_a_broken_link(tmp_path):
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert built.returncode == 0, built.stderr
    assert "class" in (tmp_path / "api.html").read_text(encoding="utf-8")
