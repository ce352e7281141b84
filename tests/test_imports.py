"""The import table of the house: who may know whom."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "hepclf"
GROUND = {"files", "disk", "nearest", "words", "recipe", "events", "scored", "run"}
STEPS = {"data", "training", "models", "statistics", "survey", "evaluation"}
OUTPUTS = {"presentation", "comparison", "prediction", "export"}
MAY_IMPORT = {
    "files": set(),
    "nearest": set(),
    "words": set(),
    "disk": {"files"},
    "recipe": {"files", "nearest"},
    "events": {"disk", "nearest"},
    "scored": {"events", "nearest"},
    # Who holds a run's folder; all others ask `run` about it.
    "heartbeat": {"files"},
    "holder": {"files", "heartbeat"},
    "lock": {"files", "heartbeat", "holder"},
    "status": {"heartbeat", "lock"},
    "run": {"files", "heartbeat", "lock", "status", "words"},
    "statistics": {"events", "scored", "disk", "nearest", "words"},
    "data": GROUND,
    "training": GROUND,
    "survey": GROUND | {"statistics"},
    "evaluation": GROUND | {"statistics"},
    "models": GROUND | {"training", "statistics"},
    "comparison": GROUND | {"statistics", "evaluation"},
    "presentation": GROUND | {"statistics", "survey", "evaluation", "comparison"},
    "prediction": GROUND | {"data", "models", "statistics"},
    "export": GROUND | {"models", "statistics"},
    "workflow": GROUND | STEPS | OUTPUTS,
    # A trial is held like a run, and its folder is asked for while none of a run is in it yet.
    "search": GROUND | STEPS | OUTPUTS | {"workflow", "heartbeat", "holder", "lock"},
    "submission": GROUND | STEPS | OUTPUTS | {"workflow"},
    "cli": GROUND | STEPS | OUTPUTS | {"workflow", "search", "submission", "lock"},
}
# Heavy or optional libraries, and the only modules that may import them.
HOMES = {
    "hydra": ("cli/",),
    "omegaconf": ("cli/",),
    "rich": ("cli/",),
    "uproot": (
        "data/root.py",
        "data/remote_source.py",
        "evaluation/files/store.py",
        "evaluation/files/histograms.py",
        "prediction/friend.py",
        "prediction/copied.py",
    ),
    "matplotlib": ("presentation/plots/",),
    "mplhep": ("presentation/plots/style.py",),
    "jinja2": ("presentation/page/page.py",),
    "PIL": ("presentation/page/embedded.py",),
    "pyarrow": ("data/parquet.py", "prediction/arrays.py"),
    "h5py": ("data/hdf5.py",),
    "XRootD": ("data/remote.py",),
    "pandas": ("data/frames.py",),
    "sklearn": ("data/digits.py", "models/", "search/importance.py"),
    "xgboost": ("models/xgboost.py", "export/xgboost.py"),
    "lightgbm": ("models/lightgbm.py",),
    "optuna": ("search/journal.py", "search/ledger.py", "search/sampling.py"),
    "onnx": ("export/onnx/",),
    "onnxruntime": ("export/onnx/model.py",),
    "torch": (
        "training/",
        "models/",
        "prediction/workers.py",
        "export/onnx/layers.py",
        "export/cpp/layers.py",
        "export/cpp/images.py",
        "export/cpp/units.py",
    ),
}


@cache
def nodes():
    """Every module of the package, with the nodes of its syntax tree."""
    return {path: list(ast.walk(ast.parse(path.read_text()))) for path in sorted(PACKAGE.rglob("*.py"))}


def imports():
    for path, tree in nodes().items():
        for node in tree:
            if isinstance(node, ast.Import):
                for name in node.names:
                    yield path.relative_to(PACKAGE), name.name
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                names = (
                    [f"hepclf.{name.name}" for name in node.names] if node.module == "hepclf" else [str(node.module)]
                )
                for module in names:
                    yield path.relative_to(PACKAGE), module


def test_each_package_imports_only_what_the_table_allows():
    breaches = []
    for path, module in imports():
        part = path.parts[0].removesuffix(".py")
        other = module.split(".")[1] if module.startswith("hepclf.") else part
        if part != "__init__" and other != part and other not in MAY_IMPORT[part]:
            breaches.append(f"{path} imports {module}")
    assert breaches == []


def test_no_modules_import_each_other_in_a_circle():
    modules = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("*.py")}
    arrows = {module: set() for module in modules}
    for path, module in imports():
        arrows[".".join(("hepclf", *path.with_suffix("").parts))].add(module)
    while leaves := [module for module, targets in arrows.items() if not targets & set(arrows)]:
        for module in leaves:
            del arrows[module]
    assert sorted(arrows) == []


def test_no_package_holds_more_than_a_fifth_of_the_code():
    lines: dict[str, int] = {}
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).parts[0]
        lines[part] = lines.get(part, 0) + path.read_text(encoding="utf-8").count("\n")
    assert max(lines.values()) < 0.2 * sum(lines.values()), lines


def test_heavy_libraries_are_imported_in_their_home_alone():
    breaches = [
        f"{path} imports {module}"
        for path, module in imports()
        if not str(path).startswith(HOMES.get(module.split(".")[0], ("",)))
    ]
    assert breaches == []


def test_init_files_define_nothing_but_the_public_names():
    for path in PACKAGE.rglob("__init__.py"):
        if path.parent != PACKAGE:
            assert path.read_text() == "", path


@pytest.mark.parametrize("forbidden", ["eval", "exec", "pickle", "joblib"])
def test_nothing_runs_or_unpickles_strangers_code(forbidden):
    for path, tree in nodes().items():
        for node in tree:
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) != forbidden, path
    assert all(module.split(".")[0] != forbidden for _, module in imports())


def test_importing_hepclf_imports_nothing_heavy():
    code = "import sys, hepclf; print([name for name in ('numpy', 'torch', 'yaml', 'hydra') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_public_name_is_there():
    import hepclf

    assert all(getattr(hepclf, name) is not None for name in hepclf.__all__)
    assert set(dir(hepclf)) == {*hepclf.__all__, "__version__"}
    assert hepclf.__version__ == version("hepclf")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hepclf.nothing


def test_every_imported_library_is_declared():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = (
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    )
    names = {re.split(r"[^\w.-]", line)[0].lower() for line in declared} | {"hepclf"}
    distributions = packages_distributions()
    used = {module.split(".")[0] for _, module in imports()} - set(sys.stdlib_module_names)
    assert len(used) > 15
    assert not {name for name in used if not names & {owner.lower() for owner in distributions.get(name, [name])}}
