"""The study that a command line names, and the words after its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hepclf.cli.overrides import overrides
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError
from hepclf.words import typed_setting

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder


def named_study(words: Sequence[str]) -> StudyFolder:
    """The study that the only word names; it is read, and nothing in it is run."""
    path, _ = _path(words), _settings(words[1:], ())
    return _opened(path)


def trusted_study(words: Sequence[str], keys: tuple[str, ...]) -> tuple[StudyFolder, dict[str, Any]]:
    """The study that the first word names, and the settings of these keys after it.

    Settings that let the user's own code run must be typed again: a stored study may not choose code.
    """
    from hepclf.search.own_code import NAMES, divided_code

    path = _path(words)
    code, others = divided_code(words[1:], Path.cwd())
    settings, folder = _settings(others, keys), _opened(path)
    if missing := [word for word in folder.code_words if word not in code]:
        raise RecipeError(
            f"the search says {missing[0]}, and a stored search may not run code; say it again behind {words[0]}"
        )
    if any(name in str(folder.contents["space"]) for name in NAMES):
        raise RecipeError(
            "the space of the search chooses code, which a stored search may not; "
            f"give its whole command with {typed_setting('folder', words[0])} resume=auto"
        )
    if foreign := [word for word in code if word not in folder.code_words]:
        raise RecipeError(f"{foreign[0]} is not what the search was started with; leave it out")
    return folder, settings


def _path(words: Sequence[str]) -> Path:
    if not words or ("=" in words[0] and not Path(words[0]).is_dir()):
        raise RecipeError("the folder of a search must be given; say hepclf tune resume DIR")
    return Path(words[0])


def _opened(path: Path) -> StudyFolder:
    from hepclf.search.folder import StudyFolder

    return StudyFolder.open(path)


def _settings(words: Sequence[str], keys: tuple[str, ...]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for override in overrides([word.lstrip("+") for word in words]):
        if override.key_or_group not in keys:
            raise RecipeError(
                f"{override.key_or_group} cannot be set here{nearest(override.key_or_group, keys or ('nothing',))}"
            )
        settings[override.key_or_group] = override.value()
    return settings
