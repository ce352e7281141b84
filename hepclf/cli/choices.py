"""Check that a command has the groups and choices on its line: Hydra ignores an unknown optional one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hepclf.cli import configs
from hepclf.cli.advice import file_advice
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError

SEARCH_PATH = "hydra.searchpath"  # folders that Hydra alone knows


def check_choices(command: str, words: Sequence[str]) -> None:
    """Refuse a group that the command does not have, and a choice that no configuration file offers."""
    folders = configs.user_folders(words)
    for folder in folders:
        if not folder.is_dir():
            raise RecipeError(f"--config-dir must be a folder that exists, not {folder}")
    has_search_path = any(word.lstrip("+").startswith(SEARCH_PATH) for word in words)
    for word in words:
        key, assigned, _ = word.lstrip("+").partition("=")
        group = key.partition("@")[0]
        if not assigned or word.startswith(("-", "~")) or group not in configs.GROUPS:
            continue
        _check_group(command, key)
        if not has_search_path:
            for name in _names(word):
                _check_name(key, group, name, folders)


def _check_group(command: str, key: str) -> None:
    groups = configs.groups(configs.folder() / f"{command}.yaml")
    if key not in groups:
        hint = "; it has none"
        if groups:
            hint = nearest(key, groups)
        raise RecipeError(f"{key} is not a group of hepclf {command}{hint}")


def _check_name(key: str, group: str, name: str | None, folders: Sequence[Path]) -> None:
    if name is None:
        raise RecipeError(f"{key} must be the name of a choice, not null; leave it out for none")
    if any((folder / group / f"{name}.yaml").is_file() for folder in (configs.folder(), *folders)):
        return
    if group == "data" and (advice := file_advice(name)):
        raise RecipeError(f"{key}={name} is not a choice; to read a file, say {advice}")
    absent = "".join(f"; {folder / group} has no {name}.yaml" for folder in folders)
    raise RecipeError(f"{key}={name} is not a choice{absent}{nearest(name, configs.choices(group, folders))}")


def _names(word: str) -> Iterator[str | None]:
    """The choices that an override names, several in a sweep or a list; none if Hydra cannot read the override."""
    from hydra.core.override_parser.types import Glob
    from hydra.errors import HydraException

    from hepclf.cli.overrides import overrides

    try:
        override = overrides([word])[0]
        value = override.value()
        if isinstance(value, Glob):
            return
        if override.is_sweep_override():
            value = list(override.sweep_string_iterator())
    except HydraException:
        return
    for name in value if isinstance(value, list) else [value]:
        yield None if name in (None, "null") else str(name)
