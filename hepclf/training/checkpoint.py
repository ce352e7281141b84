"""Checkpoints: the state of a training on disk, written so that a kill at any moment leaves a whole one."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from hepclf.files import from_json, write_bytes

KEPT = 2  # checkpoints: the newest, and the one before in case the newest is damaged
SEPARATOR = "/"
LENGTH = 8  # bytes of a length

log = logging.getLogger(__name__)

State = Mapping[str, Any]


def write_checkpoint(folder: Path, state: State) -> None:
    """Write a state (nested mappings of tensors and plain values) as the newest checkpoint; the last two are kept.

    The tensors come first and the JSON file last: it holds their digest and its own, so it proves that both are whole.
    """
    folder.mkdir(exist_ok=True)
    numbers = _numbers(folder)
    newest = numbers[-1] if numbers else 0
    stem = f"{newest + 1:06d}"
    data = _tensors(state)
    contents = {"tensors": _digest(data), "state": _plain(state)}
    text = json.dumps(contents, allow_nan=False)
    write_bytes(folder / f"{stem}.safetensors", data, durable=True)
    head = {"digest": _digest(text.encode()), "contents": contents}
    write_bytes(folder / f"{stem}.json", json.dumps(head, allow_nan=False).encode(), durable=True)
    for number in numbers[: -KEPT + 1]:
        _remove(folder, number)


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest complete state, or None; a damaged checkpoint gives a warning."""
    for number in reversed(_numbers(folder)):
        try:
            return _read(folder, f"{number:06d}")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = " ".join(str(error).split())
            log.warning("the checkpoint %s/%06d is damaged and is removed (%s)", folder, number, reason)
            _remove(folder, number)  # else it would count as one of the two that are kept
    return None


def packed(state: State) -> bytes:
    """A state as bytes: the length of its plain values as JSON, these values, and its tensors."""
    text = json.dumps(_plain(state), allow_nan=False).encode()
    return len(text).to_bytes(LENGTH, "little") + text + _tensors(state)


def unpacked(data: bytes) -> dict[str, Any]:
    """The state from the bytes of `packed`."""
    stop = LENGTH + int.from_bytes(data[:LENGTH], "little")
    return _state(from_json(data[LENGTH:stop]), data[stop:])


def _tensors(state: State) -> bytes:
    from safetensors.torch import save

    return save(
        {name: value.detach().cpu().contiguous() for name, value in _leaves(state) if isinstance(value, Tensor)}
    )


def _state(plain: Any, tensors: bytes) -> dict[str, Any]:
    """The state of these plain values and tensors."""
    from safetensors.torch import load

    state: dict[str, Any] = _restored(plain)
    for name, tensor in load(tensors).items():
        _put(state, name.split(SEPARATOR), tensor)
    return state


def _read(folder: Path, stem: str) -> dict[str, Any]:
    from safetensors import SafetensorError

    head = from_json((folder / f"{stem}.json").read_bytes())
    contents = head["contents"]
    if _digest(json.dumps(contents, allow_nan=False).encode()) != head["digest"]:
        raise ValueError("its JSON file is damaged")
    data = (folder / f"{stem}.safetensors").read_bytes()
    if _digest(data) != contents["tensors"]:
        raise ValueError("its tensors are damaged")
    try:
        return _state(contents["state"], data)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _remove(folder: Path, number: int) -> None:
    for suffix in ("json", "safetensors"):
        (folder / f"{number:06d}.{suffix}").unlink(missing_ok=True)


def _numbers(folder: Path) -> list[int]:
    """The numbers of the checkpoints that have a JSON file, oldest first."""
    return sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _leaves(state: State, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for key, value in state.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield SEPARATOR.join((*path, key)), value


def _plain(value: Any) -> Any:
    """The state without its tensors, for JSON, which has no infinity or NaN: these become {"float": "inf"}."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if not isinstance(inner, Tensor)}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _restored(value: Any) -> Any:
    """The inverse of `_plain`."""
    if isinstance(value, dict):
        if value.keys() == {"float"}:
            return float(value["float"])
        return {key: _restored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_restored(inner) for inner in value]
    return value


def _put(state: dict[str, Any], path: list[str], tensor: Tensor) -> None:
    *groups, last = path
    for group in groups:
        state = state[group]
    state[last] = tensor
