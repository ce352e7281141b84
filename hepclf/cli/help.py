"""Help that lists every choice with its description, from the configuration files themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hepclf.cli import configs
from hepclf.cli.commands import COMMANDS

USAGE = "hepclf COMMAND [group=choice] [key=value]..."
USAGE_WITHOUT_CONFIG = {  # of commands without a configuration
    "compare": "hepclf compare DIR DIR... [out=DIR] [plots=false] [json=true]    DIR: the folder of a run",
    "fetch": "hepclf fetch [NAME] [to=DIR] [from=URL]    without a name: what there is",
    "status": "hepclf status [FOLDER|ID] [runs=DIR]    ID: of a submitted job; without it: all runs",
    "cache": "hepclf cache list|clear [DIR]",
    "completion": 'eval "$(hepclf completion)"    in ~/.bashrc',
}
USAGE_BESIDE = {  # of commands that do more than one thing
    "train": "hepclf train -m key=a,b,c...    a sweep: every combination of the lists",
    "tune": "hepclf tune resume|status|best|page|worker DIR    DIR: the folder of a search",
    "ensemble": "hepclf ensemble RUN RUN... [rule=greedy]    RUN: the folder of a finished run",
    "submit": "hepclf submit COMMAND ... (as you would type it), or hepclf submit again=FOLDER",
}


def overview() -> str:
    """The help of `hepclf --help`."""
    lines = ["Train, evaluate and deploy signal/background classifiers.", "", f"  {USAGE}", "", "commands"]
    lines += _table(COMMANDS)
    lines += _groups(configs.GROUPS, ())
    lines += [
        "",
        "examples",
        "  hepclf train                                    the synthetic triggers, a network",
        "  hepclf fetch susy                               the UCI SUSY data, then:",
        "  hepclf train data=susy data.files=SUSY.csv.gz",
        "  hepclf train -m model=logistic,mlp seed=0,1,2   a sweep: every combination",
        "  hepclf evaluate run=runs/latest evaluation.threshold=0.8",
        "  hepclf compare runs/gw-mlp/* runs/latest",
        "  hepclf predict run=runs/latest files='ntuples/*.root'",
        "  hepclf export run=runs/latest format=onnx",
        "",
        "`hepclf COMMAND --help` lists the settings. Flags are Hydra's: -m, --config-dir, --cfg job.",
        "--debug shows the traceback of an error; --version the version.",
    ]
    return "\n".join(lines)


def command_help(command: str, folders: Sequence[Path]) -> str:
    """The help of one command: its groups, and the settings of the default choices."""
    lines = [f"hepclf {command}: {COMMANDS[command]}", ""]
    path = configs.folder() / f"{command}.yaml"
    if not path.is_file():
        return "\n".join([*lines, f"  {USAGE_WITHOUT_CONFIG[command]}"])
    defaults = configs.defaults(path)
    lines += [f"  {USAGE.replace('COMMAND', command)}"]
    if command in USAGE_BESIDE:
        lines.append(f"  {USAGE_BESIDE[command]}")
    lines += _groups([group for group in configs.GROUPS if group in defaults], folders)
    lines += ["", "settings", *_settings("", path)]
    for group, choice in defaults.items():
        if choice != "null":
            shown = _with_settings(group, choice)
            lines += ["", f"settings of {group}={shown.stem}", *_settings(f"{group}.", shown)]
    return "\n".join(lines)


def _with_settings(group: str, choice: str) -> Path:
    """The file of a choice, or of the first one of its group that has settings if this one has none."""
    default, *others = (configs.folder() / group / f"{name}.yaml" for name in (choice, *configs.choices(group)))
    return next((path for path in (default, *others) if configs.keys(path)), default)


def _groups(groups: Sequence[str], folders: Sequence[Path]) -> list[str]:
    lines = []
    for group in groups:
        lines += ["", f"{group}=", *_table(configs.choices(group, folders))]
    return lines


def _settings(prefix: str, path: Path) -> list[str]:
    rows = {f"{prefix}{key}={_typed(value)}": comment for key, (value, comment) in configs.keys(path).items()}
    width = min(max((len(row) for row in rows), default=0), 36)
    return [f"  {row:<{width}}  {comment}".rstrip() for row, comment in rows.items()]


def _typed(value: Any) -> str:
    """A value in the form that a user would type."""
    if isinstance(value, list):
        return "[" + ",".join(_typed(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)  # null, true, false
    return str(value)


def _table(rows: dict[str, str]) -> list[str]:
    width = max((len(name) for name in rows), default=0)
    return [f"  {name:<{width}}  {line}" for name, line in rows.items()]
