"""The commands, each with one line that says what it does."""

from __future__ import annotations

COMMANDS = {
    "train": "load and split the data, train a tagger, evaluate it, write a report",
    "tune": "search for the best settings on validation events",
    "evaluate": "evaluate a run again with other settings, or its tagger on other data",
    "predict": "score new files: a friend tree beside each, or a copy, parquet, npz, csv",
    "export": "write the tagger as ONNX, C++ header or XGBoost JSON, after a check that its scores are the same",
    "ensemble": "make one tagger of finished runs: the mean of all, or a selection on validation events",
    "compare": "compare runs on the same test events: quality, differences with p-values, cost",
    "submit": "run a command as jobs of SLURM or HTCondor, or in the background: submit train ... cluster=slurm",
    "status": "state of the runs in a folder, or of a submitted job",
    "inspect": "summary and checks of a data set, without a training",
    "fetch": "list public data sets, or download one (resumes, verifies)",
    "cache": "list or clear the tables that are kept on disk for the next reading",
    "completion": "print the lines that give bash tab completion",
}
