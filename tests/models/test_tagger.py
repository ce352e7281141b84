from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hepclf.cli.errors import explain
from hepclf.models.loading import load_tagger
from hepclf.models.mlp_plain import PlainMLP
from hepclf.models.network import NetworkTagger
from hepclf.models.preprocess import Preprocess
from hepclf.models.tagger import write_tagger
from hepclf.training.trainer import Trainer

SHORT = Trainer(epochs=2, batch=256)


def fitted(train, model=None, trainer=SHORT, valid=None):
    fit = (model or PlainMLP(hidden=(8,))).fit(train, valid or train, trainer)
    history = list(fit)
    return fit.tagger(), history


@pytest.fixture
def saved(gaussians, tmp_path):
    tagger, _ = fitted(gaussians(classes=2, events=500))
    folder = tmp_path / "tagger"
    tagger.save(folder)
    return tagger, folder


def rewrite(folder, **changes):
    head = json.loads((folder / "tagger.json").read_text())
    (folder / "tagger.json").write_text(json.dumps({**head, **changes}))


def weights_of(folder):
    return next(folder.glob("weights-*.safetensors"))


def rewrite_weights(folder, change):
    path = weights_of(folder)
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    rewrite(folder, files={path.name: hashlib.sha256(path.read_bytes()).hexdigest()})


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's list of open files")
def test_the_files_of_a_tagger_are_on_the_disk_before_the_head_that_vouches_for_them(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def spy(descriptor):
        fsync(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name.split("-")[0])

    monkeypatch.setattr(os, "fsync", spy)
    write_tagger(tmp_path / "tagger", {"weights.bin": b"1"}, {})
    names = [name.split(".")[1] if name.startswith(".") else name for name in synced]
    assert names == ["weights", "tagger", "tagger", "tagger"]  # each file, then its folder
    assert synced[2].startswith(".tagger.json.")


@pytest.mark.parametrize("target", ["os.system", "hepclf.files.write_json", "hepclf.models.preprocess.Prepare", "eval"])
def test_a_tagger_cannot_name_other_code(saved, target):
    _, folder = saved
    rewrite(folder, recipe={"_target_": target})
    with pytest.raises(ValueError, match=r"is not part of hepclf|is not a network of hepclf"):
        NetworkTagger.load(folder)


def test_a_changed_file_is_refused(saved):
    _, folder = saved
    path = weights_of(folder)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="was changed after the tagger was saved"):
        NetworkTagger.load(folder)


@pytest.mark.parametrize("name", ["/etc/hostname", "../weights.safetensors", "sub/file"])
def test_a_file_outside_the_folder_is_refused(saved, name):
    _, folder = saved
    rewrite(folder, files={name: "0"})
    with pytest.raises(ValueError, match="not a plain file of its own folder"):
        NetworkTagger.load(folder)


def test_a_link_is_refused(saved):
    _, folder = saved
    path = weights_of(folder)
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    with pytest.raises(ValueError, match="not a plain file of its own folder"):
        NetworkTagger.load(folder)


def test_weights_that_do_not_fit_or_are_not_finite_are_refused(saved):
    _, folder = saved
    rewrite_weights(folder, lambda tensors: tensors["prepare.width"].fill(np.nan))
    with pytest.raises(ValueError, match=r"not finite in 'prepare\.width'"):
        NetworkTagger.load(folder)
    rewrite_weights(folder, lambda tensors: tensors.pop("prepare.width"))
    with pytest.raises(ValueError, match="do not fit together"):
        NetworkTagger.load(folder)


def test_what_is_no_tagger_is_named(saved, tmp_path):
    _, folder = saved
    with pytest.raises(FileNotFoundError, match="holds no tagger"):
        NetworkTagger.load(tmp_path / "nowhere")
    rewrite(folder, format=99)
    with pytest.raises(ValueError, match="has format 99, this hepclf reads format 1"):
        NetworkTagger.load(folder)
    (folder / "tagger.json").write_text("{}")
    with pytest.raises(ValueError, match="is not a tagger of hepclf"):
        NetworkTagger.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": {"_target_": 3}}, "must be the name of a class"),
        ({"recipe": {"_target_": "hepclf.models.gone.X"}}, "is not a network of this hepclf"),
        ({"recipe": []}, "must be the name of a class"),
        ({"prepare": {"kinds": ["cubic"] * 3, "missing": []}}, "a scaling for each input"),
        ({"prepare": {"kinds": ["standard"] * 3, "missing": [3]}}, "different positions"),
        ({"prepare": {"kinds": ["standard"] * 3, "missing": [True]}}, "positions of inputs"),
        ({"inputs": ["a", 1, "b"]}, "inputs must be a list of names"),
        ({"classes": "ab"}, "classes must be a list of names"),
        ({"summary": []}, "summary must be a mapping"),
        ({"kind": "trees"}, "of kind 'trees', not 'network'"),
    ],
)
def test_a_tagger_that_was_tampered_with_is_refused_in_one_line(saved, change, message):
    _, folder = saved
    rewrite(folder, **change)
    with pytest.raises(ValueError, match=message) as caught:
        NetworkTagger.load(folder)
    assert "tagger.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_deeply_nested_json_is_refused(saved):
    _, folder = saved
    (folder / "tagger.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match=r"tagger\.json is not a tagger of hepclf"):
        NetworkTagger.load(folder)


def test_a_width_that_is_not_positive_is_refused(saved):
    _, folder = saved
    rewrite_weights(folder, lambda tensors: tensors["prepare.width"].fill(0))
    with pytest.raises(ValueError, match=r"prepare\.width must be positive"):
        NetworkTagger.load(folder)


def test_a_bound_that_is_not_positive_is_refused(gaussians):
    fitted(gaussians(100), PlainMLP(hidden=(2,), preprocess=Preprocess(scaling="clipped")))[0].save("clipped")
    rewrite_weights(Path("clipped"), lambda tensors: tensors["prepare.bound"].fill(0))
    with pytest.raises(ValueError, match=r"prepare\.bound must be positive"):
        NetworkTagger.load("clipped")


def test_kinds_are_dispatched_through_a_closed_table(saved):
    tagger, folder = saved
    assert load_tagger(folder).inputs == tagger.inputs
    rewrite(folder, kind="os")
    with pytest.raises(ValueError, match=r"kind 'os', this hepclf reads .*network"):
        load_tagger(folder)


def test_a_file_cannot_ask_for_more_memory_than_it_holds(saved):
    _, folder = saved
    wide = {**json.loads((folder / "tagger.json").read_text())["recipe"], "hidden": [10**6, 10**6]}  # 4 TB
    rewrite(folder, recipe=wide)
    with pytest.raises(ValueError, match=r"do not fit together.*size mismatch"):
        NetworkTagger.load(folder)


@pytest.mark.parametrize("layers", [8000, 200_000])
def test_layers_without_weights_are_refused_before_they_are_built(saved, layers):
    _, folder = saved
    deep = {**json.loads((folder / "tagger.json").read_text())["recipe"], "hidden": [1] * layers}
    rewrite(folder, recipe=deep)
    start = time.process_time()
    with pytest.raises(ValueError, match=rf"recipe\.hidden must be at most \d+ values, .* not {layers:,}$"):
        NetworkTagger.load(folder)
    assert time.process_time() - start < 1


def test_more_tensors_than_any_network_has_are_refused(saved):
    _, folder = saved
    rewrite_weights(folder, lambda tensors: tensors.update({f"t{i}": np.zeros(1, "f4") for i in range(5000)}))
    with pytest.raises(ValueError, match=r"at most 4,096 tensors, not 5,0\d\d; refused$"):
        NetworkTagger.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": ["x" * 10**6] * 2},
        {"classes": ["ab"] * 10**5},
        {"kind": "k" * 10**6},
        {"recipe": {"_target_": "hepclf.models." + "x" * 10**6}},
        {"recipe": {"_target_": "theirs." + "x" * 10**6}},
        {"prepare": {"kinds": ["c" * 10**6] * 3, "missing": []}},
    ],
)
def test_a_long_value_of_a_file_does_not_make_a_long_message(saved, change):
    _, folder = saved
    rewrite(folder, **change)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        load_tagger(folder)
    assert len(str(caught.value)) <= 1000
    assert len(explain(caught.value)[0]) <= 1000


def test_saving_again_leaves_no_trace_and_a_failure_leaves_the_old_tagger(saved, gaussians, monkeypatch):
    old, folder = saved
    new, _ = fitted(gaussians(500, seed=3))
    replace = Path.replace

    def fail(path, target):
        if target.name == "tagger.json":
            raise OSError("disk full")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            new.save(folder)
    events = gaussians(50)
    assert (NetworkTagger.load(folder).scores(events) == old.scores(events)).all()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    new.save(folder)
    assert (NetworkTagger.load(folder).scores(events) == new.scores(events)).all()
    assert len(list(folder.iterdir())) == 2
