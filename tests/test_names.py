"""Names that a stranger understands: no function words, and one public name for one thing."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "hepclf"
# Words that say how a thing is meant in a sentence, and not what it is.
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "of at by each one both other others some here there what which where than made given said told found known "
        "kept asked wanted whole rest most least left more less many apart again own its their mine ours theirs beside",
    )
)


def trees():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text(encoding="utf-8"))


def bound_names(function: ast.FunctionDef) -> list[str]:
    """Parameters, and each variable once."""
    parameters = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    variables = {
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return [parameter.arg for parameter in parameters if parameter.arg not in ("self", "cls")] + sorted(variables)


def test_variables_and_parameters_are_hardly_ever_function_words():
    names = [
        name
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for name in bound_names(node)
    ]
    words = [name for name in names if name in FUNCTION_WORDS]
    assert len(words) <= 0.02 * len(names), Counter(words).most_common(20)


def test_public_names_stand_for_one_thing():
    homes: dict[str, list[str]] = {}
    for path, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path))
    shared = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert len(shared) <= 0.05 * len(homes), shared


def test_no_file_is_called_by_a_function_word():
    assert [path for path, _ in trees() if path.stem in FUNCTION_WORDS] == []
