"""The commands, and what each does in a line."""

from __future__ import annotations

COMMANDS = {
    "train": "load, split, fit, score, evaluate, report",
    "tune": "search for the best settings on validation events",
    "evaluate": "evaluate a run again with other choices, or its tagger on other data",
    "predict": "score new files: a friend tree beside each, or a copy, parquet, npz, csv",
    "export": "ONNX, a C++ header or XGBoost's JSON, refused unless it gives the tagger's scores",
    "compare": "several runs side by side, on the same events where they share them",
    "submit": "run a command as jobs of SLURM or HTCondor, or in the background: submit train ... cluster=slurm",
    "status": "what became of the runs in a folder, or of a submitted job",
    "inspect": "what a dataset holds, before anything is trained",
    "fetch": "list public datasets, or download one: resumed, verified",
    "cache": "list or clear the columns that were read once and are kept on disk",
    "completion": "print the lines that give bash tab completion",
}
