"""`hepclf cache list|clear [DIR]`: the tables in the cache."""

from __future__ import annotations

import sys
import time

ACTIONS = ("list", "clear")


def run(arguments: list[str]) -> int:
    """List the entries of the cache, most recently used first, or remove them all."""
    action, *folders = arguments or ["list"]
    if action not in ACTIONS or len(folders) > 1:
        words = " ".join(arguments)
        print(f"hepclf: say hepclf cache list or hepclf cache clear, and a folder, not {words!r}", file=sys.stderr)
        return 2

    from hepclf.cli.terminal import results_console, section, show_warning_logs
    from hepclf.data.cache import Cache, cache_folder
    from hepclf.words import size

    show_warning_logs()
    folder = cache_folder(folders[0]) if folders else cache_folder()
    cache = Cache(folder, 0)
    entries = cache.entries()
    total = sum(entry.size for entry in entries)
    console = results_console()
    if action == "clear":
        count = cache.clear()
        console.print(f"{count} tables removed, {size(total)}", markup=False)
        return 0
    rows = [[entry.holds, size(entry.size), _ago(time.time() - entry.used)] for entry in entries]
    if rows:
        section(console, "cache", ("samples", "size", "last used"), rows)
    console.print(f"{len(rows)} tables, {size(total)}, in {cache.folder}", soft_wrap=True, markup=False)
    return 0


def _ago(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"
