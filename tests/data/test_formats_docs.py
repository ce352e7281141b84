"""docs/formats.md is true: each example reads the files that it speaks of, and its command trains."""

import gzip
import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from hepclf.cli.main import main
from hepclf.data.csv import CSV
from hepclf.data.hdf5 import HDF5
from hepclf.data.npz import NPZ
from hepclf.data.parquet import Parquet
from hepclf.recipe import build

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = {named[1]: text for text in BLOCKS if (named := re.match(r"# (\S+?):", text))}


@pytest.fixture(autouse=True)
def _files():
    Path("ntuples").mkdir()
    for name, text in EXAMPLES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def load(kind, name):
    return build(kind, yaml.safe_load(EXAMPLES[name].replace('"${seed}"', "0")), "data").load()


def test_the_example_of_parquet_trains(capsys):
    rng = np.random.default_rng(0)
    for name, shift in {"dy_1": 0, "dy_2": 0, "ttbar": 2}.items():
        jets = [rng.exponential(40, count) for count in rng.poisson(1 + shift, 300)]
        weights = rng.choice([1.0, -1.0], 300, p=[0.9, 0.1])
        columns = {
            "MET": [{"pt": met} for met in rng.exponential(20 + 20 * shift, 300)],
            "Jet": [[{"pt": pt, "eta": rng.normal()} for pt in each] for each in jets],
            "genWeight": weights,
            "event": np.arange(300),
        }
        table = pa.table({key: pa.array(values) for key, values in columns.items()})
        pq.write_table(table.replace_schema_metadata({"sumw": str(2 * weights.sum())}), f"ntuples/{name}.parquet")
    events = load(Parquet, "lab/data/flat.yaml")
    assert events.names == ("MET_pt", "count(Jet_pt)", "max(Jet_pt[abs(Jet_eta) < 2.5])", "Jet_pt_0", "Jet_pt_1")
    assert events.sums == pytest.approx({"background": 59.8e3 * 6077.2, "signal": 59.8e3 * 88.3 / 2})
    (command,) = [shlex.split(line[2:])[1:] for line in PAGE.splitlines() if line.startswith("$ hepclf")]
    assert main([*command, "trainer.epochs=2", "evaluation.plots=false"]) == 0, capsys.readouterr().err


def test_the_example_of_hdf5_reads_jets_and_their_valid_tracks():
    fields = ("pt_btagJes", "f4"), ("absEta_btagJes", "f4"), ("HadronConeExclTruthLabelID", "i4"), ("eventNumber", "i8")
    jets = np.zeros(60, dtype=list(fields))
    jets["pt_btagJes"], jets["eventNumber"] = 30e3, np.arange(60)
    jets["HadronConeExclTruthLabelID"] = np.resize([0, 4, 5], 60)
    jets["pt_btagJes"][:6] = 10e3
    tracks = np.zeros((60, 10), dtype=[("d0", "f2"), ("valid", "?")])
    tracks["d0"], tracks["valid"][:, :3] = np.arange(10) / 2, True
    for number in (1, 2):
        with h5py.File(f"ntuples/jets_{number}.h5", "w") as file:
            file["jets"], file["tracks"] = jets, tracks
    events = load(HDF5, "lab/data/jets.yaml")
    assert events.counts == {"background": 36, "signal": 36}
    assert np.array_equal(events.features[-1], [30e3, 0, 3, 1, 0, 0.5, 1, np.nan], equal_nan=True)


def test_the_example_of_npz_reads_a_matrix_and_what_is_beside_it():
    for name, weight in {"qcd": 1.0, "top": 0.5}.items():
        x = np.arange(12.0).reshape(4, 3) + 1
        np.savez(f"ntuples/{name}.npz", x=x, mass=[1.0, 2, 3, 4], w=np.full(4, weight))
    events = load(NPZ, "lab/data/arrays.yaml")
    assert events.sums == {"background": 4, "signal": 2}
    assert np.allclose(events.features[1], [4, 5 / 6, 2])


def test_the_example_of_csv_reads_expressions_beside_columns():
    Path("tables").mkdir()
    head = "kind,lead_pt,mass,met_x,met_y,n_jets,weight,pileup,event\n"
    for number, rows in enumerate(("dy,30,60,3,4,2,1,2,7\nttbar,30,60,3,4,1,1,1,8\n", "higgs,50,-999,6,8,3,-1,1,9\n")):
        Path(f"tables/run{number}.csv.gz").write_bytes(gzip.compress((head + rows).encode()))
    events = load(CSV, "lab/data/table.yaml")
    assert np.array_equal(events.features, [[30, 0.5, 5], [50, np.nan, 10]], equal_nan=True)
    assert events.sums == {"background": 2, "signal": -1}
    assert {name: values.tolist() for name, values in events.spectators.items()} == {"event": [7, 9], "jets": [2, 3]}


def test_the_example_of_csv_without_header_names_its_columns():
    Path("plain.csv").write_text("1;45.2;0.31;91\n0;12.9;-1.2;60.3\n")
    events = load(CSV, "lab/data/plain.yaml")
    assert events.names == ("pt", "eta", "mass")
    assert events.labels.tolist() == [1, 0]
