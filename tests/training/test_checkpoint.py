from __future__ import annotations

import json
import math

import pytest
import torch

from hepclf import files
from hepclf.training import checkpoint as module
from hepclf.training.checkpoint import packed, read_checkpoint, unpacked, write_checkpoint


def state(number):
    return {
        "fit": {"step": number, "best": {"loss": math.inf, "low": -math.inf}, "kept": {}, "average": None},
        "network": {"0.weight": torch.full((2, 3), float(number)), "steps": torch.tensor(7.0, dtype=torch.float64)},
        "history": [[1, 0.1, 1 / 3, 5e-3, 0.25]],
        "done": False,
    }


def same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    return first == second and type(first) is type(second)


def test_a_state_comes_back_to_the_last_bit(tmp_path):
    write_checkpoint(tmp_path / "checkpoint", state(3))
    assert same(state(3), read_checkpoint(tmp_path / "checkpoint"))


def test_a_state_that_is_sent_to_other_ranks_comes_back_to_the_last_bit():
    assert same(state(3), unpacked(packed(state(3))))


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path):
    for number in range(5):
        write_checkpoint(tmp_path, state(number))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{number:06d}.{kind}" for number in (4, 5) for kind in ("json", "safetensors")
    ]
    assert read_checkpoint(tmp_path)["fit"]["step"] == 4


def test_without_a_checkpoint_there_is_no_state(tmp_path):
    assert read_checkpoint(tmp_path / "checkpoint") is None


@pytest.mark.parametrize("name", ["000002.json", "000002.safetensors"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone"])
def test_a_damaged_one_is_named_and_the_one_before_is_used(tmp_path, name, damage, caplog):
    for number in (1, 2):
        write_checkpoint(tmp_path, state(number))
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[:-9])}.get(damage, b""))
    if damage == "gone":
        path.unlink()
    assert read_checkpoint(tmp_path)["fit"]["step"] == 1
    assert ("000002 is damaged and is removed" in caplog.text) is (name != "000002.json" or damage != "gone")


def test_every_flipped_byte_of_a_head_is_noticed(tmp_path, caplog):
    write_checkpoint(tmp_path, state(1))
    path = tmp_path / "000001.json"
    whole, tensors = path.read_bytes(), (tmp_path / "000001.safetensors").read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        (tmp_path / "000001.safetensors").write_bytes(tensors)
        assert (found := read_checkpoint(tmp_path)) is None or same(found, state(1))  # a space may become another one


@pytest.mark.parametrize("writes", [0, 1])
def test_a_kill_in_the_middle_of_a_write_leaves_the_one_before(tmp_path, writes, monkeypatch):
    write_checkpoint(tmp_path, state(1))
    done = []

    def killed(path, data, **settings):
        if len(done) == writes:
            path.with_name(f".{path.name}.0a1b2c3d.part").write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        done.append(path)
        files.write_bytes(path, data, **settings)

    monkeypatch.setattr(module, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, state(2))
    monkeypatch.undo()
    assert read_checkpoint(tmp_path)["fit"]["step"] == 1
    write_checkpoint(tmp_path, state(3))
    assert read_checkpoint(tmp_path)["fit"]["step"] == 3


def test_the_plain_values_are_strict_json(tmp_path):
    write_checkpoint(tmp_path, state(1))

    def refuse(name):
        raise AssertionError(name)

    json.loads((tmp_path / "000001.json").read_text(), parse_constant=refuse)


def test_a_damaged_one_does_not_count_as_one_of_the_two_that_are_kept(tmp_path):
    for number in (1, 2):
        write_checkpoint(tmp_path, state(number))
    (tmp_path / "000002.json").write_bytes(b"{")
    assert read_checkpoint(tmp_path)["fit"]["step"] == 1
    write_checkpoint(tmp_path, state(3))
    (tmp_path / "000002.json").write_bytes(b"{")
    assert read_checkpoint(tmp_path)["fit"]["step"] == 1
