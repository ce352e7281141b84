"""The examples of docs/examples.md do what they say, on small files of the same layout and on the real ones."""

from __future__ import annotations

import os
import re
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from hepclf.cli.main import main
from hepclf.data.root import Root
from hepclf.recipe import build

REAL = os.environ.get("HEPCLF_REAL_DATA")
PAGE = (Path(__file__).parents[2] / "docs" / "examples.md").read_text()
EXAMPLES = {re.search(r"data/(\w+)\.yaml", text)[1]: text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)}
COMMANDS = [line.split()[2:] for line in PAGE.splitlines() if line.startswith("$ hepclf")]
EXTRA = {"nano": ["trainer.negative_weights=abs"]}
EVENTS = 300


def columns_of(name):
    """The branches that an example names, whatever it does with them."""
    recipe = build(Root, yaml.safe_load(EXAMPLES[name]), "data")
    return sorted({column for sample in recipe.samples for column in recipe._quantities(sample).columns})


def made(name, *, seed, form="TTree", **trees):
    """A file of these trees, each with these branches."""
    rng = np.random.default_rng(seed)
    with uproot.recreate(name) as file:
        for tree, branches in trees.items():
            columns = {branch: _column(branch, rng) for branch in branches}
            make = file.mktree if form == "TTree" else file.mkrntuple
            types = {key: array.type.content if form == "TTree" else array[:0] for key, array in columns.items()}
            make(tree, types).extend(columns)


def _column(branch, rng):
    counts = np.random.default_rng(1).integers(0, 4, EVENTS)  # as many objects in each branch of an event
    if branch in ("nMuon", "NMuon"):
        return ak.Array(counts)
    if branch == "event":
        return ak.Array(np.arange(EVENTS))
    if branch == "genWeight":
        return ak.Array(rng.choice([1.0, -1.0], EVENTS, p=[0.8, 0.2]))
    if branch == "Muon_charge":
        return ak.unflatten(rng.choice([1, -1], counts.sum()), counts)
    if branch.endswith(("_eta", "_phi")):  # else masses would not fit into single precision
        return _listed(branch, rng.normal(size=counts.sum()), counts)
    return _listed(branch, rng.exponential(50, counts.sum()).astype(np.float32), counts)


def _listed(branch, values, counts):
    """A list of objects an event for a branch of objects, one value an event for any other."""
    objects = re.match(r"(Jet|Muon|Electron)_", branch)
    return ak.unflatten(values, counts) if objects else ak.Array(np.resize(values, EVENTS))


def files_of(name):
    if name == "higgs_trees":
        made("higgs_20k.root", seed=0, bkg_tree=columns_of(name), sig_tree=columns_of(name))
    elif name == "tmva":
        columns = [column for column in columns_of(name) if column != "weight"]
        made("tmva_class_example.root", seed=0, TreeS=columns, TreeB=[*columns, "weight"])
    elif name == "nano":
        for seed, process in enumerate(("dy", "ttbar")):
            made(f"nano_{process}.root", seed=seed, Events=columns_of(name))
    elif name == "dimuon":
        made("dimuon_rntuple.root", seed=0, form="RNTuple", Events=columns_of(name))
    else:
        made("hzz_zstd.root", seed=0, events=columns_of(name))


def said(name, capsys):
    """What the commands of the page say of an example, one after the other."""
    answers = []
    Path("lab/data").mkdir(parents=True)
    Path(f"lab/data/{name}.yaml").write_text(EXAMPLES[name])
    for command, *words in COMMANDS:
        few = ["trainer.epochs=2", "evaluation.plots=false", *EXTRA.get(name, [])] if command == "train" else []
        code = main([command, *(word.replace("NAME", name) for word in words), *few])
        out, err = capsys.readouterr()
        assert code == 0, err
        answers.append(out)
    return answers


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_at_most_25_lines(name):
    assert len(EXAMPLES[name].splitlines()) <= 25


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_inspected_and_trained(name, capsys):
    files_of(name)
    inspected, trained = said(name, capsys)
    assert "AUC of the feature alone" in inspected
    assert "cuts chosen on validation, quoted on test" in trained


@pytest.mark.skipif(REAL is None, reason="HEPCLF_REAL_DATA does not name the folder of real data")
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_inspected_and_trained_on_the_real_files(name, capsys):
    for path in Path(REAL).glob("*.root"):
        Path(path.name).symlink_to(path)
    inspected, trained = said(name, capsys)
    assert "AUC of the feature alone" in inspected
    assert "cuts chosen on validation, quoted on test" in trained
