from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hepclf.data.cache import Cache, Reading, cache_folder, read_through


def fill(folder, holds, rows):
    cache = Cache(folder, 10**9)
    read_through(cache, lambda: [holds], holds, lambda _: Reading({"features": np.zeros(rows)}, []))


def test_list_shows_what_the_cache_holds_and_clear_removes_it(hepclf):
    fill(cache_folder(), "dy, ttbar", 1_000_000)
    fill(cache_folder(), "[b]odd[/b]", 10)
    code, out, _ = hepclf("cache", "list")
    assert code == 0
    assert "dy, ttbar" in out
    assert "8 MB" in out
    assert "[b]odd[/b]" in out
    assert "just now" in out
    assert f"2 tables, 8 MB, in {cache_folder()}" in out
    assert hepclf("cache")[1] == out
    assert hepclf("cache", "clear")[1].strip() == "2 tables removed, 8 MB"
    assert hepclf("cache", "list")[1].strip() == f"0 tables, 0 B, in {cache_folder()}"


def test_a_folder_of_ones_own(hepclf):
    fill(Path("mine"), "dy", 10)
    assert "dy" in hepclf("cache", "list", "mine")[1]
    assert hepclf("cache", "clear", "mine")[1].startswith("1 tables removed")


def test_clear_leaves_what_is_not_of_the_cache(hepclf):
    fill(Path("mine"), "dy", 10)
    Path("mine/thesis").mkdir()
    Path("mine/thesis/chapter.tex").write_text("so far")
    hepclf("cache", "clear", "mine")
    assert [path.name for path in Path("mine").rglob("*")] == ["thesis", "chapter.tex"]


@pytest.mark.parametrize("words", [["empty"], ["list", "a", "b"]])
def test_another_word_is_refused(hepclf, words):
    code, _, err = hepclf("cache", *words)
    assert code == 2
    assert err.strip() == f"hepclf: say hepclf cache list or hepclf cache clear, and a folder, not {' '.join(words)!r}"
