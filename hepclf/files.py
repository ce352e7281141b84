"""Files that are written to a temporary file and moved, so that no reader sees half of one; YAML read safely."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_bytes(path: Path, data: bytes) -> None:
    """Write to a temporary file beside `path` and move it there, so that a reader never sees half a file."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder and in those below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_json(path: Path, contents: Any) -> None:
    """JSON in the strict standard: NaN and infinity are refused."""
    write_bytes(path, (json.dumps(contents, indent=2, allow_nan=False) + "\n").encode())


def write_yaml(path: Path, contents: Any) -> None:
    """YAML in the order given."""
    import yaml

    write_bytes(path, yaml.safe_dump(contents, sort_keys=False, width=100, allow_unicode=True).encode())


def read_yaml(path: Path) -> dict[str, Any]:
    """YAML (or JSON) read safely: no objects, and no aliases, as a few lines with them could hold a billion values."""
    import yaml

    class SafeLoader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("it holds aliases")
            return super().compose_node(parent, index)

    try:
        contents = yaml.load(path.read_text(), SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(contents, Mapping):
        raise ValueError(f"{path} must hold a mapping of settings, not {type(contents).__name__}")
    return dict(contents)


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A header and its rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())
