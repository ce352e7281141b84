"""What is installed holds what runs need: the configurations travel in the wheel."""

from __future__ import annotations

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_the_configurations_and_the_page_and_nothing_of_the_tests(tmp_path):
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(built).namelist())
    configs = {f"hepclf/configs/{path.relative_to(ROOT / 'configs')}" for path in (ROOT / "configs").rglob("*.yaml")}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "hepclf").rglob("*.py")}
    page = {f"hepclf/presentation/page/page.{kind}" for kind in ("html", "css", "js")}
    page.add("hepclf/presentation/page/terms.json")
    assert configs | modules | page | {"hepclf/py.typed"} <= names
    assert {name.split("/")[0] for name in names} == {"hepclf", "hepclf-0.1.0.dist-info"}


def test_configurations_are_found_beside_the_package_before_an_installed_copy():
    from hepclf.cli import configs

    assert configs.folder() == ROOT / "configs"
