"""URLs, patterns and lists, and the files of a real XRootD server that they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from hepclf.data.remote import RemoteError
from hepclf.data.samples import Source, find_sources


@pytest.fixture(scope="module")
def server(shared_server):
    """A server of empty files, which is asked for their names alone."""
    for name in ("a.root", "b.root", "n.root", "run1/c.root", "run1/notes.txt", "run2/c.root", "run2/low/d.root"):
        path = shared_server.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return shared_server


def test_a_local_list_may_name_remote_files(server):
    Path("files.txt").write_text(f"{server.url('a.root:t')}\n{server.url('run1/*.root')}  # all of the first run\n")
    assert find_sources("files.txt") == [Source(server.url("a.root"), "t"), Source(server.url("run1/c.root"), None)]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.root", ["a.root", "b.root", "n.root"]),
        ("[ab].root", ["a.root", "b.root"]),
        ("run*/c.root", ["run1/c.root", "run2/c.root"]),
        ("run2/*", ["run2/c.root"]),
        ("run2/**", ["run2/c.root", "run2/low/d.root"]),
        ("**/[cd].root", ["run1/c.root", "run2/c.root", "run2/low/d.root"]),
        ("run2/**/d.root:t", ["run2/low/d.root"]),
        ("run2/*.root?tried=1", ["run2/c.root?tried=1"]),
    ],
)
def test_patterns_stand_for_the_files_of_a_server(server, pattern, names):
    tree = "t" if pattern.endswith(":t") else None
    assert find_sources(server.url(pattern)) == [Source(server.url(name), tree) for name in names]


def test_patterns_that_stand_for_nothing_are_refused(server):
    with pytest.raises(FileNotFoundError, match=r"no file matches 'root://.*/run1/x\*'"):
        find_sources(server.url("run1/x*"))
    with pytest.raises(RemoteError, match=r"folder 'root://.*/none/' does not exist"):
        find_sources(server.url("none/*.root"))
