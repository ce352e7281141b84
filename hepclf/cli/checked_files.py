"""The check of a user's configuration files before Hydra merges them: they set hepclf's own keys and run nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf

from hepclf.cli import configs
from hepclf.files import YAML_VALUE_ERRORS, holds_aliases
from hepclf.recipe import RecipeError

SETTABLE = ("hydra.mode", "hydra.verbose", "hydra.sweeper.params")  # what a file may set of Hydra's own settings


@contextmanager
def checked_files() -> Iterator[dict[str, Path]]:
    """Let Hydra read files only after a check in this block; the user's files read so far, by their names in Hydra.

    A file behind --config-dir, behind hydra.searchpath or in one of their defaults lists is checked alike.
    """
    own: dict[str, Path] = {}

    class CheckedFiles(FileConfigSource):
        def load_config(self, config_path: str) -> ConfigResult:
            path = Path(self.path, self._normalize_file_name(config_path))
            if Path(self.path) == configs.folder():
                return super().load_config(config_path)
            _refuse_aliases(path)
            try:
                result = super().load_config(config_path)
            except YAML_VALUE_ERRORS as error:
                raise RecipeError(
                    f"{path} must hold values that fit their type, not {' '.join(str(error).split())}; write it in "
                    "quotes, and without a tag such as !!bool"
                ) from error
            _refuse_settings(path, result.config)
            own[config_path] = path
            return result

    Plugins.instance()  # registers Hydra's own sources, once a process
    sources = SourcesRegistry.instance().types
    plain = sources["file"]
    sources["file"] = CheckedFiles
    try:
        yield own
    finally:
        sources["file"] = plain


def refuse_packages(defaults: Sequence[Any], own: Mapping[str, Path]) -> None:
    """Refuse a file whose package, by its header, its folder or a defaults list, is a part of Hydra's own settings."""
    for default in defaults:
        package = str(default.package or "")
        if default.config_path in own and re.match(r"\W*hydra\b", package):
            raise RecipeError(
                f"{own[default.config_path]} must be a configuration of hepclf, not of {package}; leave it out, as "
                "hepclf makes folders, logs and processes itself"
            )


def _refuse_aliases(path: Path) -> None:
    if path.is_file() and holds_aliases(path.read_bytes()):
        raise RecipeError(
            f"{path} must not hold aliases such as *name, with which a few lines make a billion values; "
            "write the value again, or ${key}"
        )


def _refuse_settings(path: Path, config: Any) -> None:
    if not isinstance(config, DictConfig) or "hydra" not in config:
        return
    contents = OmegaConf.to_container(config, resolve=False)
    for key in _keys("hydra", contents["hydra"]):  # type: ignore[call-overload,index]
        if not any(key == name or key.startswith(f"{name}.") for name in SETTABLE):
            raise RecipeError(
                f"{key} must not be set in {path}; of Hydra's own settings a file may hold {', '.join(SETTABLE)}"
            )


def _keys(prefix: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping) or not value:
        yield prefix
        return
    for key, inner in value.items():
        yield from _keys(f"{prefix}.{key}", inner)
