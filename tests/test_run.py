from __future__ import annotations

import json
from pathlib import Path

import pytest

from hepclf.run import Run, new_folder, point_latest


def test_a_run_needs_a_folder_of_its_own():
    run = Run.create("a/b")
    assert run.folder.is_dir()
    with pytest.raises(FileExistsError, match="a/b is not an empty folder; a run needs one of its own"):
        Run.create("a/b")
    run.config.write_text("x: 1")
    assert Run.open("a/b").config == run.folder.resolve() / "config.yaml"


def test_what_is_no_run_is_not_opened():
    Path("empty").mkdir()
    with pytest.raises(FileNotFoundError, match="there is no run gone"):
        Run.open("gone")
    with pytest.raises(FileNotFoundError, match=r"empty is not a run of hepclf: it holds no config\.yaml"):
        Run.open("empty")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("sweep.json", "it is a sweep; name a run in it, many/000, or its best settings, again=many/best.yaml"),
        ("study.yaml", "it is a search; name its best run, many/best, or its best settings, again=many/best.yaml"),
    ],
)
def test_a_folder_of_many_runs_is_told_from_one_run(table, reason):
    Path("many").mkdir()
    Path("many", table).touch()
    with pytest.raises(FileNotFoundError) as caught:
        Run.open("many")
    assert str(caught.value) == f"many is not a run of hepclf: {reason}"


def test_two_runs_of_one_second_have_two_folders():
    assert len({new_folder("runs", "x") for _ in range(50)}) == 50


def test_the_link_points_at_the_newest_wherever_the_runs_are_moved():
    for name in ("one", "two"):
        folder = Path("runs") / "x" / name
        folder.mkdir(parents=True)
        point_latest("runs", folder)
    Path("runs").rename("moved")
    assert Path("moved/latest").resolve().name == "two"
    assert sorted(path.name for path in Path("moved").iterdir()) == ["latest", "x"]


def test_the_link_to_the_newest_run_is_left_alone_where_a_run_lies_elsewhere(caplog):
    Path("runs").mkdir()
    point_latest("runs", Path("elsewhere/run"))
    assert not list(Path("runs").iterdir())
    assert not caplog.messages


def test_a_link_that_cannot_be_made_is_a_warning(caplog):
    Path("runs/latest").mkdir(parents=True)  # a folder of the user's own
    point_latest("runs", Path("runs/a"))
    (message,) = caplog.messages
    assert message.startswith("runs/latest could not be pointed at runs/a: ")
    assert Path("runs/latest").is_dir()
    assert not Path("runs/latest").is_symlink()


def test_the_record_says_running_then_finished():
    run = Run.create("a")
    with run.recorded(seed=3) as record:
        assert json.loads(run.environment.read_text())["status"] == "running"
        record["seconds"] = 1.5
    found = json.loads(run.environment.read_text())
    assert (found["status"], found["seed"], found["seconds"], found["error"]) == ("finished", 3, 1.5, None)
    assert found["versions"]["numpy"]
    assert found["started"] <= found["finished"]


@pytest.mark.parametrize("error", [ValueError("two\nlines"), SystemExit(3)])
def test_the_record_says_failed_and_with_what(error):
    run = Run.create("a")
    with pytest.raises(type(error)), run.recorded():
        raise error
    found = json.loads(run.environment.read_text())
    assert found["status"] == "failed"
    assert found["error"] == f"{type(error).__name__}: {' '.join(str(error).split())}"


@pytest.mark.parametrize(
    ("error", "reason"), [(KeyboardInterrupt("by\nCtrl-C"), "by Ctrl-C"), (KeyboardInterrupt(), "interrupted")]
)
def test_who_interrupts_a_run_has_stopped_it(error, reason):
    run = Run.create("a")
    with pytest.raises(KeyboardInterrupt), run.recorded():
        raise error
    found = json.loads(run.environment.read_text())
    assert (found["status"], found["error"]) == ("stopped", reason)


def test_a_failure_is_recorded_though_the_disk_has_no_room_for_a_file(monkeypatch):
    run = Run.create("a")

    def full(*_):
        raise OSError(28, "No space")

    def fill_the_disk():
        monkeypatch.setattr("hepclf.files.write_json", full)
        full()

    with pytest.raises(OSError, match="No space"), run.recorded():
        fill_the_disk()
    found = json.loads(run.environment.read_text())
    assert (found["status"], found["error"]) == ("failed", "OSError: [Errno 28] No space")


def test_job_files_may_be_in_a_folder_before_its_run(tmp_path):
    (tmp_path / "run/batch").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="is not an empty folder"):
        Run.create(tmp_path / "run")
    run = Run.create(tmp_path / "run", restart=True)
    run.lock.release()
    assert (tmp_path / "run/batch").is_dir()
