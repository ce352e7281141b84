"""What the site needs beyond Sphinx: docstrings in plain text, and the notebook as a page."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

# Code, a page of these docs, or a sign that means something in reStructuredText.
MARKED = re.compile(r"`([^`]+)`|docs/([\w/]+)\.md|[*_|\\`]")
SETTING = re.compile(r"(\w[\w, .]*?\w|\w) {2,}(\S.*)")  # a name, two spaces or more, what it means


def markdown(notebook: dict[str, Any]) -> str:
    """The cells in order, code between fences, and below it what it printed and drew."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            parts.append(f"```python\n{source}\n```")
            parts += [shown for output in cell["outputs"] if (shown := output_markdown(output))]
        else:
            parts.append(source)
    return "\n\n".join(parts)


def output_markdown(output: dict[str, Any]) -> str:
    """A picture where there is one, else the text."""
    data = output.get("data", {})
    if "image/png" in data:
        return f'<img alt="output of the cell above" src="data:image/png;base64,{data["image/png"].strip()}">'
    text = "".join(output.get("text", data.get("text/plain", "")))
    return f"```text\n{text}\n```" if text else ""


def settings(configs: Path) -> str:
    """Markdown with every YAML file below this folder: first those of the commands, then group by group."""
    groups = sorted({path.parent for path in configs.rglob("*.yaml")})
    return "".join(_group(folder, configs) for folder in groups)


def _group(folder: Path, configs: Path) -> str:
    heading = "commands" if folder == configs else folder.name
    parts = [f"\n## {heading}\n"]
    for path in sorted(folder.glob("*.yaml")):
        name = f"hepclf {path.stem}" if folder == configs else f"{folder.name}={path.stem}"
        parts.append(f"\n### `{name}`\n\n```yaml\n{path.read_text(encoding='utf-8')}```\n")
    return "".join(parts)


def restructured(docstring: list[str]) -> list[str]:
    """A docstring, plain text here, as Sphinx reads it: settings become a list, formulas stay as they are typed."""
    paragraphs = "\n".join(docstring).strip().split("\n\n")
    return [line for paragraph in paragraphs for line in (*_paragraph(paragraph.split("\n")), "")]


def _paragraph(lines: list[str]) -> list[str]:
    if SETTING.fullmatch(lines[0]):
        return _settings(lines)
    if lines[0].startswith("    "):
        return ["::", "", *(f"    {line.strip()}" for line in lines)]
    return [_escaped(line.strip()) for line in lines]


def _settings(lines: list[str]) -> list[str]:
    """A definition list of names and meanings; an indented line goes on with the meaning before it."""
    listed = []
    for line in lines:
        if match := SETTING.fullmatch(line):
            listed += [f"``{match[1]}``", f"    {_escaped(match[2])}"]
        else:
            listed.append(f"    {_escaped(line.strip())}")
    return listed


def _escaped(text: str) -> str:
    """Text in which nothing but `code` and the names of pages have a special meaning."""
    return MARKED.sub(_marked, text)


def _marked(mark: re.Match[str]) -> str:
    if mark[1]:
        return f"``{mark[1]}``"
    return f":doc:`/{mark[2]}`" if mark[2] else f"\\{mark[0]}"


def signature(obj: Any) -> str:
    """Parameters as the source has them: types as they are written there, and defaults; nothing for a protocol."""
    if getattr(obj, "_is_protocol", False):
        return ""
    skipped = ("self", "cls")
    parameters = [p for name, p in inspect.signature(obj).parameters.items() if name not in skipped]
    factories = {field.name: field.default_factory for field in fields(obj)} if is_dataclass(obj) else {}
    parts = [_parameter(parameter, factories.get(parameter.name, MISSING)) for parameter in parameters]
    keywords = [p.kind is p.KEYWORD_ONLY for p in parameters]
    if any(keywords):
        parts.insert(keywords.index(True), "*")
    return f"({', '.join(parts)})"


def _parameter(parameter: inspect.Parameter, factory: Any) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    if factory is not MISSING:
        empty = {dict: "{}", tuple: "()"}
        return f"{text} = {empty.get(factory, f'{factory.__name__}()')}"
    if parameter.default is parameter.empty:
        return text
    shown = getattr(parameter.default, "__name__", repr(parameter.default))
    return f"{text} = {shown}"
