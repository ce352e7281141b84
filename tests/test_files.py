"""Files: whole under their names, or absent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hepclf import files
from hepclf.files import (
    atomic,
    beside,
    boot_id,
    folder_size,
    is_abandoned,
    is_temporary,
    leftovers,
    pid_namespace,
    read_yaml,
    remove_abandoned,
    server_time,
    temporary_folder,
    temporary_path,
    write_bytes,
    write_csv,
    write_json,
    write_yaml,
)


def names(folder="."):
    return sorted(entry.name for entry in Path(folder).iterdir())


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole():
    Path("a.txt").write_text("old")
    with atomic(Path("a.txt")) as temporary:
        temporary.write_text("ne")
        assert Path("a.txt").read_text() == "old"
        temporary.write_text("new")
    assert (Path("a.txt").read_text(), names()) == ("new", ["a.txt"])


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_what_was_there_and_nothing_else(error):
    Path("a.txt").write_text("old")

    def fail(path):
        path.write_text("ne")
        raise error

    with pytest.raises(type(error)), atomic(Path("a.txt")) as temporary:
        fail(temporary)
    assert (Path("a.txt").read_text(), names()) == ("old", ["a.txt"])


def test_two_writers_of_one_process_do_not_share_a_temporary_file():
    texts = ["a" * 100_000, "b" * 100_000]
    meeting = threading.Barrier(2)

    def write(text):
        with atomic(Path("x")) as temporary:
            temporary.write_text(text[:10])
            meeting.wait(10)
            temporary.write_text(text)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Path("x").read_text() in texts
    assert names() == ["x"]


def test_the_same_process_number_on_two_machines_gives_two_names(monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "00")
    here = temporary_path(Path("x"))
    monkeypatch.setattr(files.socket, "gethostname", lambda: "node17.cern.ch")
    there = temporary_path(Path("x"))
    assert here != there
    assert re.fullmatch(rf"\.x\.node17-cern-ch-[0-9a-f]{{8}}\.{os.getpid()}\.00\.part", there.name)
    assert is_temporary(there.name)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_permissions_follow_the_umask(umask, mode):
    before = os.umask(umask)
    try:
        write_bytes(Path("x"), b"1")
        with temporary_folder(Path("y")) as folder:
            folder_mode = folder.stat().st_mode & 0o777
    finally:
        os.umask(before)
    assert Path("x").stat().st_mode & 0o777 == mode
    assert folder_mode == 0o777 & ~umask


@pytest.fixture
def synced(monkeypatch):
    """The files and folders that were confirmed by the disk, and whether x was there then."""
    calls = []
    fsync = os.fsync

    def spy(descriptor):
        fsync(descriptor)
        calls.append((Path(f"/proc/self/fd/{descriptor}").readlink(), Path("x").exists()))

    monkeypatch.setattr(os, "fsync", spy)
    return calls


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's list of open files")
def test_a_durable_file_is_on_the_disk_before_it_moves_and_its_folder_after(synced):
    write_json(Path("x"), {"a": 1}, durable=True)
    (file, before), (folder, after) = synced
    assert is_temporary(file.name)
    assert (before, folder, after) == (False, Path.cwd(), True)
    assert json.loads(Path("x").read_text()) == {"a": 1}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's list of open files")
def test_other_files_do_not_wait_for_the_disk(synced):
    write_json(Path("x"), {"a": 1})
    assert synced == []


def test_a_disk_that_fails_to_confirm_a_file_leaves_the_old_one(monkeypatch):
    Path("x").write_text("old")

    def broken(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        write_bytes(Path("x"), b"new", durable=True)
    assert (Path("x").read_text(), names()) == ("old", ["x"])


def test_a_file_system_that_cannot_confirm_is_accepted(monkeypatch):
    def unable(_):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", unable)
    write_bytes(Path("x"), b"new", durable=True)
    assert Path("x").read_bytes() == b"new"


def test_a_temporary_folder_goes_unless_it_is_moved():
    with temporary_folder(Path("entry")) as folder:
        (folder / "a").write_text("1")
        folder.rename("entry")
    with temporary_folder(Path("second")) as folder:
        (folder / "a").write_text("1")
    assert (names(), names("entry")) == (["entry"], ["a"])


def test_leftovers_are_files_folders_and_links_of_hepclf_alone():
    Path("runs/a/b").mkdir(parents=True)
    temporaries = {temporary_path(Path("runs", name)) for name in ("a/b/scores.root", "latest", "a/.hidden")}
    file, link, folder = temporaries
    file.write_text("half")
    link.symlink_to("gone")
    folder.mkdir()
    for name in (".part", "data.csv.part", ".git", ".a.part", ".notes.2024.part", "a.host.1.00.part"):
        Path("runs/a/b", name).write_text("the user's own")
    assert set(leftovers(Path("runs"))) == temporaries
    assert list(leftovers(Path("gone"))) == []


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_by(process, path, place=None):
    """A temporary file that this process, in this container or on another machine, left for a path."""
    parts = temporary_path(path).name.split(".")
    parts[-4:-2] = [place or parts[-4], str(process)]
    temporary = path.with_name(".".join(parts))
    temporary.write_text("half")
    return temporary


def test_what_dead_processes_left_goes_and_what_a_living_one_writes_stays(tmp_path, dead):
    path = tmp_path / "a.root"
    with atomic(path) as living:
        living.write_text("half")
        os.utime(living, (0, 0))
        abandoned = left_by(dead, path)
        elsewhere, long_ago = (left_by(1, path, place) for place in ("other0", "other1"))
        unrelated = left_by(1, tmp_path / "b.root", "host")
        for temporary in (long_ago, unrelated):
            os.utime(temporary, (0, 0))
        assert set(remove_abandoned(beside(path))) == {abandoned, long_ago}
        assert {file.name for file in tmp_path.iterdir()} == {living.name, elsewhere.name, unrelated.name}
    assert path.read_text() == "half"


@pytest.mark.parametrize("fact", ["boot_id", "pid_namespace"])
def test_the_number_of_a_process_says_nothing_in_another_boot_or_container(tmp_path, monkeypatch, dead, fact):
    with monkeypatch.context() as there:
        there.setattr(files, fact, lambda: "another")
        hidden = left_by(dead, tmp_path / "a")
    assert not is_abandoned(hidden)
    seen = left_by(dead, tmp_path / "a")
    assert is_abandoned(seen)
    os.utime(hidden, (0, 0))
    assert is_abandoned(hidden)


def test_a_wrong_clock_of_this_machine_removes_nothing(tmp_path, monkeypatch):
    fresh = left_by(1, tmp_path / "a", "elsewhere")
    monkeypatch.setattr(time, "time", lambda: 1e12)
    assert not is_abandoned(fresh)


def test_a_folder_is_as_young_as_the_newest_file_in_it(tmp_path):
    draft = tmp_path / ".draft.elsewhere.1.00.part"
    (draft / "inner").mkdir(parents=True)
    (draft / "inner/0.bin").write_bytes(b"growing")
    for folder in (draft / "inner", draft):
        os.utime(folder, (0, 0))
    assert remove_abandoned([draft]) == []
    os.utime(draft / "inner/0.bin", (0, 0))
    assert remove_abandoned([draft]) == [draft]
    assert names(tmp_path) == []


def test_what_lies_where_only_this_process_writes_goes_at_once(tmp_path):
    fresh = [left_by(1, tmp_path / name, "elsewhere") for name in ("mine", "others")]
    finished = tmp_path / "mine"
    finished.write_text("whole")
    assert remove_abandoned([*fresh, finished], lambda path: "mine" in path.name) == [fresh[0]]
    assert finished.exists()


@pytest.mark.parametrize("name", [".a.other.1.00.part", "a.txt"])
def test_a_file_that_is_gone_or_not_temporary_is_not_abandoned(name):
    assert not is_abandoned(Path(name))
    Path("a.txt").write_text("")
    os.utime("a.txt", (0, 0))
    assert not is_abandoned(Path(name))


def test_the_clock_is_that_of_the_folder_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)  # the clock of this machine is wrong by decades
    assert server_time(Path()) > 1e9
    assert list(Path().iterdir()) == []
    assert server_time(Path("gone")) == 0.0


def test_aliases_and_what_is_no_yaml_are_refused_by_name():
    bomb = "a: &a [x, x]\nb: [*a, *a]\n"
    for text in (bomb, "a: [1", "!!python/object/apply:os.system [ls]", "- 1"):
        Path("x.yaml").write_text(text)
        with pytest.raises(ValueError, match=r"x\.yaml"):
            read_yaml(Path("x.yaml"))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(monkeypatch):
    path = Path("metrics.json")
    write_json(path, {"a": 1})

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"new contents")
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in Path().iterdir()] == ["metrics.json"]


def test_json_without_a_number_is_refused_rather_than_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(Path("x.json"), {"a": float("nan")})
    assert not Path("x.json").exists()


def test_yaml_and_csv_are_plain():
    write_yaml(Path("x.yaml"), {"b": [1, 2.5], "a": None, "name": "tt\u0304"})
    assert read_yaml(Path("x.yaml")) == {"b": [1, 2.5], "a": None, "name": "tt\u0304"}
    write_csv(Path("x.csv"), ("a", "b"), [(1, 0.1), (2, 0.2)])
    assert Path("x.csv").read_text() == "a,b\n1,0.1\n2,0.2\n"
    Path("list.yaml").write_text("[1]")
    with pytest.raises(ValueError, match="must hold a mapping of settings, not list"):
        read_yaml(Path("list.yaml"))


def test_the_size_of_a_folder_is_that_of_all_files_below_it():
    Path("tagger/uncalibrated").mkdir(parents=True)
    Path("tagger/tagger.json").write_bytes(b"12345")
    Path("tagger/uncalibrated/weights.safetensors").write_bytes(b"1234567")
    assert folder_size(Path("tagger")) == 12
    assert folder_size(Path("tagger/uncalibrated")) == 7


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs Linux")
def test_the_boot_and_the_container_have_a_name_that_stays():
    assert boot_id() == boot_id() != ""
    assert pid_namespace().startswith("pid:[")


def test_a_system_without_them_says_nothing(monkeypatch):
    monkeypatch.setattr(files, "PROC", Path("no-proc"))
    assert (boot_id(), pid_namespace()) == ("", "")
