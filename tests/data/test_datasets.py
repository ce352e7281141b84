"""The table of public datasets, and that files of their layouts are read as their configurations say."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import yaml

from hepclf.cli import configs
from hepclf.data.csv import CSV
from hepclf.data.datasets import DATASETS
from hepclf.recipe import build

DIGITS = {"sha256": 64, "adler32": 8}


def settings(name):
    return yaml.safe_load((configs.folder() / "data" / f"{name}.yaml").read_text().replace("${seed}", "0"))


def load(name, path, **changes):
    return build(CSV, settings(name) | {"files": str(path)} | changes, "data").load()


def write(path, lines):
    """Numbers as numpy and the UCI files write them, in a gzip file."""
    with gzip.open(path, "wt") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


@pytest.mark.parametrize("name", DATASETS)
def test_each_dataset_is_named_by_its_configuration_and_comes_over_https(name):
    dataset = DATASETS[name]
    assert dataset.name == name
    assert dataset.file.endswith(".csv.gz")
    assert dataset.url.startswith("https://")
    assert dataset.page.startswith("https://")
    assert settings(name)["header"] == dataset.header
    assert dataset.file in (configs.folder() / "data" / f"{name}.yaml").read_text()


@pytest.mark.parametrize("name", [name for name, dataset in DATASETS.items() if dataset.checksum])
def test_a_checksum_has_its_digits(name):
    algorithm, _, digits = DATASETS[name].checksum.partition(":")
    assert len(digits) == DIGITS[algorithm]
    assert digits == f"{int(digits, 16):0{len(digits)}x}"


@pytest.mark.parametrize(("name", "low", "high"), [("susy", 8, 10), ("higgs", 21, 7)])
def test_a_file_of_the_uci_has_its_label_first_and_no_header(name, low, high):
    table = np.random.default_rng(0).normal(size=(60, 1 + low + high)).astype(np.float32)
    table[:, 0] = np.arange(60) % 2
    path = write(DATASETS[name].file, [",".join(f"{value:.18e}" for value in row) for row in table])
    events = load(name, path)
    assert events.labels.tolist() == table[:, 0].tolist()
    assert np.array_equal(events.features, table[:, 1:])
    assert load(name, path, features="low").features.shape == (60, low)
    assert np.array_equal(load(name, path, features="high").features, table[:, -high:])


def test_the_full_higgs_file_is_split_as_published():
    split = build(CSV, settings("higgs") | {"files": "HIGGS.csv"}, "data").split
    assert split.tail_from == DATASETS["higgs"].events
    assert (round(split.test * split.tail_from), round(split.valid * split.tail_from)) == (500_000, 500_000)


def challenge():
    """Rows as the challenge has them: undefined is -999.0, some numbers are written as whole ones."""
    groups = settings("higgsml")["groups"]
    header = ["EventId", *groups["derived"], *groups["primitive"], "Weight", "Label", "KaggleSet", "KaggleWeight"]
    rng = np.random.default_rng(0)
    rows = []
    for i in range(60):
        values = [f"{value:.3f}" for value in rng.exponential(50, 30)]
        values[header.index("PRI_jet_num") - 1] = str(i % 4)
        if i % 4 < 2:
            values[header.index("DER_mass_jet_jet") - 1] = "-999.0"
        rows.append([str(100000 + i), *values, f"{0.002 + i}", "sb"[i % 2], "tbvu"[i % 3], f"{i + 0.5}"])
    return header, rows


def test_a_file_of_the_challenge_has_weights_missing_values_and_its_sets():
    header, rows = challenge()
    events = load("higgsml", write(Path("a.csv.gz"), map(",".join, [header, *rows])))
    assert events.names == tuple(header[1:31])
    assert events.classes == ("background", "signal")
    assert events.labels.tolist() == [int(row[32] == "s") for row in rows]
    assert events.weights.tolist() == [float(row[31]) for row in rows]
    assert events.spectators["EventId"].tolist() == [int(row[0]) for row in rows]
    assert events.spectators["EventId"].dtype == np.int64
    assert events.spectators["KaggleSet"].tolist() == [row[33] for row in rows]
    missing = np.isnan(events.features)
    assert missing[:, events.names.index("DER_mass_jet_jet")].tolist() == [i % 4 < 2 for i in range(60)]
    assert missing.sum() == 30
    assert load("higgsml", "a.csv.gz", features="primitive").features.shape == (60, 17)
    assert load("higgsml", "a.csv.gz", features="derived").features.shape == (60, 13)
