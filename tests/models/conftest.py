"""What tests of several models need."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from hepclf.models import arrays
from hepclf.models.tagger import write_tagger


@pytest.fixture
def planted():
    """A function that saves a tagger to tagger/ with other arrays or settings, its hashes right."""

    def make(tagger, changes, settings=None):
        tagger.save("tagger")
        head = json.loads(Path("tagger/tagger.json").read_text())
        kept = {name: np.ascontiguousarray(array) for name, array in {**tagger.arrays, **changes}.items()}
        contents = {name: head[name] for name in ("kind", "inputs", "classes", "summary")}
        contents["settings"] = {**head["settings"], **(settings or {})}
        write_tagger(Path("tagger"), {arrays.FILE: save(kept)}, contents)

    return make
