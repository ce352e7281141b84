"""The configuration files and their choices; nothing heavy is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

TARGET = "_target_"
GROUP = "{...}"  # the value of a group of settings that are listed after it

GROUPS = ("data", "model", "trainer", "evaluation", "folds", "experiment", "cluster")


def folder() -> Path:
    """The configs/ folder: beside the package in a checkout, inside it in an installation."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "configs" / "train.yaml").is_file():
        return checkout / "configs"
    return package / "configs"


def user_folders(words: Sequence[str]) -> list[Path]:
    """The user's own configuration folders, from --config-dir."""
    separate = [value for flag, value in pairwise([*words, ""]) if flag in ("--config-dir", "-cd")]
    joined = [word.split("=", 1)[1] for word in words if word.startswith("--config-dir=")]
    return [Path(path) for path in (*separate, *joined)]


def choices(group: str, folders: Sequence[Path] = ()) -> dict[str, str]:
    """The choices of a group, each with its description line; those of the user's folders come last."""
    descriptions = {}
    for root in (folder(), *folders):
        for path in sorted((root / group).glob("*.yaml")):
            descriptions[path.stem] = description(path)
    return descriptions


def description(path: Path) -> str:
    """The first comment line of a configuration file that is not a directive."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and "@package" not in line:
            return line.lstrip("# ").strip()
    return ""


def keys(path: Path) -> dict[str, tuple[Any, str]]:
    """Each setting of a file by its dotted name, with its value and its comment.

    A group with a comment is a setting as well, of the value {...}, as it may be switched off or replaced.
    """
    import yaml

    comments = _comments(path.read_text(encoding="utf-8"))
    values = dict(_flat("", yaml.safe_load(path.read_text(encoding="utf-8")) or {}))
    shown = {name: value for name, value in values.items() if value != GROUP or comments.get(name)}
    return {name: (value, comments.get(name, "")) for name, value in shown.items()}


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if key in (TARGET, "defaults", "hydra"):
            continue
        if isinstance(value, Mapping) and value:
            yield f"{prefix}{key}", GROUP
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _comments(text: str) -> dict[str, str]:
    """The comment after each key, by dotted name; the indentation shows where a key belongs."""
    comments: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(r"^( *)(\w+):(?: .*?)?(?:# *(.*))?$", line)
        if match:
            parents = [(depth, name) for depth, name in parents if depth < len(match[1])] + [(len(match[1]), match[2])]
            comments[".".join(name for _, name in parents)] = match[3] or ""
    return comments


def groups(path: Path) -> list[str]:
    """The groups of a command, as its file lists them; `data@observed` is a group of its own."""
    if not path.is_file():
        return []
    lines = [
        line.strip().removeprefix("- ").removeprefix("optional ")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [line.split(":")[0] for line in lines if line.partition(":")[0].partition("@")[0] in GROUPS]


def defaults(path: Path) -> dict[str, str]:
    """The default choice of each group of a command, in the order of its file."""
    choices = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.strip().removeprefix("- ").removeprefix("optional ").split(": ")
        if line.strip().startswith("- ") and words[0] in GROUPS and len(words) == 2:
            choices[words[0]] = words[1].strip()
    return choices
