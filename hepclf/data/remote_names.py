"""Remote names: the files on servers that URLs and patterns of URLs stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import takewhile

from hepclf.data.remote import list_folder

SCHEMES = ("root", "roots", "xroot", "xroots")


def is_remote(name: str) -> bool:
    """Whether a name is a URL."""
    return re.match(r"[A-Za-z][\w+.-]*://", name) is not None


def expanded(text: str) -> list[tuple[str, str | None]]:
    """The URLs that a URL or pattern stands for, in alphabetical order, each with the tree in its name.

    The text after a question mark goes to the server, so patterns can only use *, [ab] and **.
    """
    server, path = _split(text)
    name, mark, tree = path.rpartition(".root:")
    if mark:
        path = f"{name}.root"
    path, question, options = path.partition("?")
    parts = path.split("/")
    folders = [*takewhile(lambda part: not _is_pattern(part), parts)]
    names = [path]
    if len(folders) < len(parts):
        names = sorted({*_below(server, "".join(f"{part}/" for part in folders), parts[len(folders) :])})
        if not names:
            raise FileNotFoundError(f"no file matches '{server}{path}'")
    chosen = None
    if mark:
        chosen = tree or None
    return [(f"{server}{name}{question}{options}", chosen) for name in names]


def _split(url: str) -> tuple[str, str]:
    """The server and the path of a file; a ValueError if the URL names no file that can be read."""
    scheme, _, address = url.partition("://")
    host, slash, path = address.partition("/")
    if scheme not in SCHEMES:
        raise ValueError(f"file '{url}' is on no XRootD server (root://), which alone are read; download it first")
    if not host or not path.strip("/"):
        raise ValueError(f"file '{url}' has no host or no path; write {scheme}://host//folder/file.root")
    return f"{scheme}://{host}{slash}", path


def _is_pattern(part: str) -> bool:
    return "*" in part or "[" in part


def _below(server: str, folder: str, parts: list[str]) -> Iterator[str]:
    """The files below a folder that match these parts; a part matches one folder, ** any number of folders."""
    pattern, *subpatterns = parts
    if pattern == "**":
        yield from _below(server, folder, subpatterns or ["*"])
    for name, is_folder in list_folder(server, folder):
        path = f"{folder}{name}"
        if pattern == "**" and is_folder:
            yield from _below(server, f"{path}/", parts)
        elif pattern != "**" and fnmatchcase(name, pattern) and is_folder == bool(subpatterns):
            if subpatterns:
                yield from _below(server, f"{path}/", subpatterns)
            else:
                yield path
