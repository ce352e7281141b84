"""`hepclf completion`: tab completion for bash; hepclf itself answers from its configuration files."""

from __future__ import annotations

import sys

from hepclf.cli import configs
from hepclf.cli.commands import COMMANDS

SCRIPT = """\
_hepclf() {
    local words
    words="${COMP_LINE:0:COMP_POINT}"
    COMPREPLY=($(hepclf completion --words "$words" 2>/dev/null))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
COMP_WORDBREAKS="${COMP_WORDBREAKS//=/}"
complete -o default -F _hepclf hepclf
"""


def run(arguments: list[str]) -> int:
    """Print the script, or, when the script calls it, the completions of a line so far."""
    if len(arguments) == 2 and arguments[0] == "--words":
        print("\n".join(candidates(arguments[1])))
        return 0
    if arguments:
        print(f"hepclf: completion takes no arguments, not {arguments[0]!r}", file=sys.stderr)
        return 2
    print(SCRIPT, end="")
    return 0


def candidates(line: str) -> list[str]:
    """The completions of the last word of this line."""
    words = line.split(" ")[1:] or [""]
    last = words[-1]
    if len(words) == 1:
        return [name for name in COMMANDS if name.startswith(last)]
    if words[0] == "fetch":
        from hepclf.data.datasets import DATASETS

        return [name for name in (*DATASETS, "to=", "from=") if name.startswith(last)]
    if words[0] == "compare":
        return [name for name in ("out=", "plots=", "json=") if name.startswith(last)]
    key, is_value, value = last.partition("=")
    folders = configs.user_folders(words)
    if is_value:
        names = configs.choices(key, folders) if key in configs.GROUPS else {}
        done, _, part = value.rpartition(",")
        prefix = f"{key}={done}," if done else f"{key}="
        return [f"{prefix}{name}" for name in names if name.startswith(part)]
    path = configs.folder() / f"{words[0]}.yaml"
    if not path.is_file():
        return []
    defaults = configs.defaults(path)
    chosen = {word.split("=", 1)[0]: word.split("=", 1)[1] for word in words if "=" in word}
    keys = [f"{name}=" for name in (*defaults, *configs.keys(path))]
    for group, choice in defaults.items():
        inner = configs.folder() / group / f"{chosen.get(group, choice)}.yaml"
        if inner.is_file():
            keys += [f"{group}.{name}=" for name in configs.keys(inner)]
    return [name for name in keys if name.startswith(last)]
