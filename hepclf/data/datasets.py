"""Public datasets of the field: where each is published, and how its file is verified."""

from __future__ import annotations

from dataclasses import dataclass

UCI = "https://archive.ics.uci.edu"
CERN = "https://opendata.cern.ch"


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A public file of events, as it was published.

    size      in bytes; rounded to a million where there is no checksum
    checksum  algorithm:digits; empty if none is known for certain. The file is then verified by the length that its
              server states, the CRC-32 in it, and its number of events
    header    its first row names the columns
    """

    name: str
    holds: str
    events: int
    size: int
    url: str
    page: str
    licence: str
    reference: str
    checksum: str = ""
    header: bool = False

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.url.rpartition("/")[2]


_ALL = (
    Dataset(
        name="susy",
        holds="supersymmetry against its background, 18 features",
        events=5_000_000,
        size=922_000_000,
        url=f"{UCI}/ml/machine-learning-databases/00279/SUSY.csv.gz",
        page=f"{UCI}/dataset/279/susy",
        licence="CC BY 4.0",
        reference="arXiv:1402.4735",
    ),
    Dataset(
        name="higgs",
        holds="a heavy Higgs boson against top pairs, 28 features",
        events=11_000_000,
        size=2_816_407_858,
        # as TensorFlow Datasets and others have it
        checksum="sha256:ea302c18164d4e3d916a1e2e83a9a8d07069fa6ebc7771e4c0540d54e593b698",
        url=f"{UCI}/ml/machine-learning-databases/00280/HIGGS.csv.gz",
        page=f"{UCI}/dataset/280/higgs",
        licence="CC BY 4.0",
        reference="arXiv:1402.4735",
    ),
    Dataset(
        name="higgsml",
        holds="Higgs to tau pairs, the ATLAS challenge of 2014, 30 features, weighted",
        events=818_238,
        size=65_630_848,  # this and the checksum as the record has them
        checksum="adler32:e4717bbe",
        url=f"{CERN}/record/328/files/atlas-higgs-challenge-2014-v2.csv.gz",
        page=f"{CERN}/record/328",
        licence="CC0",
        reference="doi:10.7483/OPENDATA.ATLAS.ZBP2.M5T8",
        header=True,
    ),
)
DATASETS = {dataset.name: dataset for dataset in _ALL}
