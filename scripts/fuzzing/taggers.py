"""Taggers of every kind, damaged, and with trees, tensors and numbers that a stranger could write; their hashes fit."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from damage import NUMBERS, changed, damaged, reworded, written

GOLDEN = Path(__file__).resolve().parents[2] / "tests/models/golden"
INPUTS = ("a", "b", "c")
HEAD = "tagger.json"
SINGLE = ("cuts", "fisher", "knn", "lightgbm", "likelihood", "mlp", "network", "svm", "trees", "xgboost")
NESTED = ("calibrated", "members")
INDICES = (-(2**31), -9, -2, -1, 0, 1, 2, 3, 5, 6, 7, 99, 2**15, 2**31 - 1)
XGBOOST_TREE = ("left_children", "right_children", "parents", "split_indices", "split_type", "default_left")
LIGHTGBM_TREE = ("left_child", "right_child", "split_feature", "decision_type", "num_leaves", "num_cat")


def prepare(base: Path) -> None:
    """Copies of the golden taggers, and of taggers that hold others."""
    from hepclf import load_tagger
    from hepclf.events import Events
    from hepclf.models.calibrated import with_calibration
    from hepclf.models.folds import FoldKey
    from hepclf.models.members import MembersTagger
    from hepclf.training.trainer import Trainer

    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    values = (rng.normal(size=(200, 3)) + labels[:, None]).astype(np.float32)
    for kind in SINGLE:
        shutil.copytree(GOLDEN / kind, base / kind)
    fisher, mlp, trees = (load_tagger(GOLDEN / kind) for kind in ("fisher", "mlp", "trees"))
    events = Events(features=values, labels=labels, names=INPUTS, classes=fisher.classes)
    with_calibration(fisher, events, Trainer(calibrate="isotonic")).save(base / "calibrated")
    MembersTagger([fisher, mlp, trees], folds=FoldKey(3, ("event",))).save(base / "members")


def make(kind: str, rng: Random, base: Path, folder: Path) -> Callable[[], None]:
    """A damaged tagger, which is loaded and scores a few events."""
    tagger = folder / "tagger"
    shutil.copytree(base / kind, tagger)
    heads = sorted(tagger.rglob(HEAD))
    place = rng.choice(heads).parent
    files = sorted(path for path in place.iterdir() if path.is_file() and path.name != HEAD)
    attack = rng.choice(("bytes", "head", "head", "file", "model", "model", "model"))
    if attack == "bytes" or not files:
        path = rng.choice([*files, place / HEAD])
        data = path.read_bytes()
        path.write_bytes(damaged(rng, data) if attack == "bytes" else written(changed(rng, json.loads(data))))
    elif attack == "head":
        path = place / HEAD
        path.write_bytes(written(changed(rng, json.loads(path.read_bytes()))))
    elif attack == "file":
        _replace(files[0], damaged(rng, files[0].read_bytes()))
    else:
        _replace(files[0], _model(rng, files[0]))
    for parent in sorted({head.parent.parent for head in heads} - {folder}, key=lambda path: -len(path.parts)):
        _vouch_for_inner(parent)
    return partial(_score, tagger)


def _score(tagger: Path) -> None:
    from hepclf import load_tagger
    from hepclf.events import Events

    loaded = load_tagger(tagger)
    values = np.array([[0, 0, 0], [1, -1, 2], [1e30, -1e30, 0], [np.nan] * 3, [5, 5, 5]], dtype=np.float32)
    values = np.resize(values, (5, len(loaded.inputs)))
    events = Events(features=values, names=loaded.inputs, spectators={"event": np.arange(5)})
    scores = loaded.scores(events)
    if not (np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()):
        raise AssertionError(f"scores must lie in 0..1, not {scores.ravel()[:4]}")


def _replace(path: Path, data: bytes) -> None:
    """Write other contents and vouch for them in the tagger.json beside."""
    digest = hashlib.sha256(data).hexdigest()
    head = json.loads((path.parent / HEAD).read_bytes())
    name = f"{path.stem.rpartition('-')[0]}-{digest[:12]}{path.suffix}"
    path.unlink()
    (path.parent / name).write_bytes(data)
    head["files"] = {name: digest}
    (path.parent / HEAD).write_text(json.dumps(head))


def _vouch_for_inner(folder: Path) -> None:
    """Let a tagger vouch for the taggers inside it."""
    try:
        head = json.loads((folder / HEAD).read_bytes())
        digests = [
            hashlib.sha256((inner / HEAD).read_bytes()).hexdigest()
            for inner in sorted(folder.iterdir())
            if (inner / HEAD).is_file()
        ]
        if isinstance(head.get("members"), list) and len(head["members"]) == len(digests):
            head["members"] = digests
        elif "inner" in head and digests:
            head["inner"] = digests[0]
        (folder / HEAD).write_text(json.dumps(head))
    except (ValueError, AttributeError, RecursionError):
        return  # its own tagger.json is the damaged one


def _model(rng: Random, path: Path) -> bytes:
    if path.suffix == ".json":
        return written(_xgboost(rng, json.loads(path.read_bytes())))
    if path.suffix == ".txt":
        return _lightgbm(rng, path.read_text()).encode(errors="replace")
    return _safetensors(rng, path.read_bytes())


def _xgboost(rng: Random, model: Any) -> Any:
    """Indices of children and features out of range, and cycles; or any change."""
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    if rng.random() < 0.4:
        return changed(rng, model)
    for _ in range(rng.randint(1, 3)):
        tree = rng.choice(trees)
        values = tree[rng.choice(XGBOOST_TREE)]
        if values:
            values[rng.randrange(len(values))] = rng.choice(INDICES)
    if rng.random() < 0.2:
        tree["left_children"] = tree["right_children"] = [0] * len(tree["left_children"])
    return model


def _lightgbm(rng: Random, text: str) -> str:
    """The same for the text of LightGBM."""
    if rng.random() < 0.4:
        return reworded(rng, text)
    lines = text.split("\n")
    chosen = [i for i, line in enumerate(lines) if line.partition("=")[0] in LIGHTGBM_TREE]
    for i in rng.sample(chosen, rng.randint(1, 3)):
        name, _, numbers = lines[i].partition("=")
        words = numbers.split()
        words[rng.randrange(len(words))] = str(rng.choice(INDICES))
        lines[i] = f"{name}={' '.join(words)}"
    return "\n".join(lines)


def _safetensors(rng: Random, data: bytes) -> bytes:
    """Other values or shapes in whole tensors, or another header over the same bytes."""
    from safetensors.numpy import load, save

    if rng.random() < 0.3:
        length = int.from_bytes(data[:8], "little")
        head = written(changed(rng, json.loads(data[8 : 8 + length])))
        return len(head).to_bytes(8, "little") + head + data[8 + length :]
    tensors = load(data)
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(sorted(tensors))
        tensors[name] = _other_array(rng, tensors[name])
    return save({name: np.ascontiguousarray(array) for name, array in tensors.items()})


def _other_array(rng: Random, array: np.ndarray) -> np.ndarray:
    choice = rng.randrange(6)
    if choice == 0:
        return array[..., :0] if array.ndim else array
    if choice == 1:
        return array.T
    if choice == 2:
        return array.astype(rng.choice((np.float16, np.float64, np.int64, np.bool_)))
    if choice == 3 and array.ndim:
        return np.concatenate([array, array])
    copy = array.copy().reshape(-1)
    if copy.size:
        with np.errstate(all="ignore"):
            number = rng.choice((*INDICES, *(number for number in NUMBERS if isinstance(number, float))))
            copy[rng.randrange(copy.size)] = np.float64(number).astype(copy.dtype)
    return copy.reshape(array.shape)


KINDS = {f"tagger-{kind}": partial(make, kind) for kind in (*SINGLE, *NESTED)}
