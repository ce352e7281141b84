from __future__ import annotations

from pathlib import Path

from hepclf.files import folder_size


def test_the_size_of_a_folder_is_that_of_all_files_below_it():
    Path("tagger/uncalibrated").mkdir(parents=True)
    Path("tagger/tagger.json").write_bytes(b"12345")
    Path("tagger/uncalibrated/weights.safetensors").write_bytes(b"1234567")
    assert folder_size(Path("tagger")) == 12
    assert folder_size(Path("tagger/uncalibrated")) == 7
