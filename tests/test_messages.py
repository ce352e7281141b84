"""Errors have one form, "trainer.batch must be at least 1, not 0; way out"."""

import ast
from pathlib import Path

import hepclf

SOURCES = sorted(Path(hepclf.__file__).parent.rglob("*.py"))
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def _texts(source):
    """The text in a file that is no docstring, such as the words of errors."""
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {ast.get_docstring(node, clean=False) for node in nodes if isinstance(node, DOCUMENTED)}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if text not in docstrings]


def test_errors_say_not_and_never_however():
    sources = [path.read_text(encoding="utf-8") for path in SOURCES]
    former = [text for source in sources if "however" in source for text in _texts(source) if "however" in text]
    assert former == []
