"""Write docs/evaluation/pictures.md: every picture that hepclf draws, how to read it, and what computes it.

scripts/gallery.py [FOLDER], where its runs go, a temporary one otherwise. What is there already is not made again.
"""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from hepclf.cli.main import main
from hepclf.presentation.plots.draw import STUDIES

DOCS = Path(__file__).resolve().parent.parent / "docs" / "evaluation"
COLOURS = 256  # enough for lines, bands and scales, in half of the bytes

GW = "data=gw data.signals=10000 data.noise=30000"
NO_PLOTS = "evaluation.plots=false evaluation.report=false"
# Where pictures come to lie, and the command that draws them, under a name of their own.
RUNS = {
    "features": ("features", f"inspect {GW} plots=features"),
    "gw": ("gw/latest/plots", f"train {GW} trainer.find_rate=true runs=gw"),
    "fisher": ("fisher/latest/plots", f"train {GW} model=fisher runs=fisher"),
    "plane": ("plane/latest/plots", f"train {GW} data.features=[snr,chirp_mass] runs=plane"),
    "jets": (
        "jets/latest/plots",
        "train data=csv data.files=simulated.csv data.spectators=[mass,fat_jets] runs=jets"
        ' \'data.labels={mass: ["$m_{jj}$", GeV], pt: ["$p_T$", GeV]}\''
        " 'evaluation.yields={signal: 150, background: 6000}'"
        " 'evaluation.flatness={spectators: [mass], edges: {mass: [40, 60, 80, 100, 120, 140, 160, 200, 250]}}'"
        " 'evaluation.sculpting={spectators: [mass], edges: {mass: [40, 60, 80, 100, 120, 140, 160, 200, 250]}}'"
        " 'evaluation.categories.of={boosted: \"fat_jets >= 1\", resolved: otherwise}'"
        " 'evaluation.variations.named={scale_up: {features: [pt], scale: 1.05},"
        " scale_down: {features: [pt], scale: 0.95}, width_up: {features: [width], scale: 1.05}}'",
    ),
    "observed": ("observed/plots", "evaluate run=jets/latest observed.files=observed.csv out=observed"),
    "flavours": (
        "flavours/latest/plots",
        "train --config-dir lab data=flavours runs=flavours 'evaluation.discriminants.against={b: {c: 0.2}}'",
    ),
    "folds": ("folds/latest/plots", f"train {GW} model=bdt folds=kfold runs=folds"),
    "mesons": ("mesons/latest/plots", "train experiment=tagging runs=mesons"),
    "compared": ("compared/plots", "compare gw/latest fisher/latest out=compared"),
    **{
        f"seed_{seed}": (f"seed_{seed}/latest", f"train {GW} model=mlp_plain {NO_PLOTS} seed={seed} runs=seed_{seed}")
        for seed in range(4)
    },
    "repeated": ("repeated/plots", "compare seed_0/latest seed_1/latest seed_2/latest seed_3/latest out=repeated"),
}
FLAVOURS = """_target_: hepclf.data.mixture.Mixture
events: 30000
classes:
  light: [{fraction: 1.0, mean: [-1.0, 0.0], width: [1.0, 1.0]}]
  c: [{fraction: 1.0, mean: [0.5, 0.8], width: [1.0, 1.0]}]
  b: [{fraction: 1.0, mean: [1.5, -0.8], width: [1.0, 1.2]}]
"""
# The order in which a reader asks: headings, and under each the pictures of one run after another.
ORDER = {
    "Before training": "features: overview_1 001_snr",
    "The score": "gw: scores confusion, plane: decision",
    "Curves": "gw: roc rejection bands purity kept processes false_alarms",
    "Yields": "gw: significance figures_of_merit yields binned, jets: categories",
    "Is it believable?": "gw: losses find_rate overtraining calibration likelihood_ratio, "
    "jets: flatness_1 sculpting_1_mass sculpting_1_mass_jsd variations_1, observed: observed observed_1_pt, "
    "folds: folds",
    "What did it learn?": "gw: importance effective_cuts correlations",
    "Several classes": "flavours: decisions pairs regions bayes_limit fractions_1_1, mesons: tagging",
    "Comparison": "compared: roc rejection, repeated: spread",
}
# How to read those that no index tells of.
SAID = {
    "features overview_1": "All features, class by class, each normalised to unit area.",
    "features 001_snr": "One feature in each class, normalised to unit area, with bands of ±1σ. "
    "The AUC is that of the feature alone.",
}
# What computes the pictures that belong to no study, and the pages of studies that are not called as the study is.
COMPUTED = {
    "features": "survey/survey.py",
    "compared": "comparison/contenders.py",
    "repeated": "statistics/curves/spread.py",
    "scores": "evaluation/split_results.py",
    "confusion": "statistics/confusion.py",
    "roc": "statistics/curves/roc.py",
    "rejection": "statistics/curves/roc.py",
    "significance": "statistics/counting/scan.py",
    "losses": "training/trainer.py",
    "find_rate": "training/rate_test.py",
}
PAGES = {
    "counting": "yields",
    "regions": "plane",
    "likelihood_ratio": "calibration",
    "discriminants": "multiclass",
    "folds": "../folds",
}
# What asks for a picture that not every training draws.
ASKED = {
    "features": "`hepclf inspect plots=DIR`",
    "compared": "`hepclf compare DIR DIR`",
    "repeated": "`hepclf compare DIR DIR...` of such trainings",
    "plane": "where there are two features",
    "find_rate": "`trainer.find_rate=true`",
    "triggers": "where the data have a live time",
    "likelihood_ratio": "where the data know their likelihood ratio",
    "multiclass": "of three classes or more",
    "regions": "of three classes or more, where there are two features",
    "bayes_limit": "of three classes or more, where the data have their densities",
    "tagging": "`evaluation.tagging.categories=5`",
    "folds": "`folds=kfold`",
    "categories": '`evaluation.categories.of={boosted: "fat_jets >= 1", resolved: otherwise}`',
    "flatness": "`evaluation.flatness.spectators=[mass]`",
    "sculpting": "`evaluation.sculpting.spectators=[mass]`",
    "variations": "`evaluation.variations.named={scale_up: {features: [pt], scale: 1.05}}`",
    "observed": "`hepclf evaluate run=RUN observed.files=FILES`",
    "discriminants": "`evaluation.discriminants.against={b: {c: 0.2}}`",
}
HEAD = """# The pictures

Every picture that hepclf draws, how to read it and what computes it. `hepclf train` draws most of them without being
asked; where not, what asks for one is said below it. The numbers of a run's pictures are in `plots/numbers/`.

Shown are the built-in triggers, toy jets where a picture needs a mass, and three Gaussian classes;
`scripts/gallery.py` makes the runs and this page.
"""


class Shown(NamedTuple):
    """A picture on the page: its file, its run and stem, what is said of it, and the study that it belongs to."""

    png: Path
    run: str
    stem: str
    caption: str
    study: str | None

    @property
    def name(self) -> str:
        return f"{self.run}_{self.stem}" if self.run in ("features", "compared") else self.stem

    @property
    def lines(self) -> str:
        """Its part of the page."""
        key = self.study or (self.run if self.run in COMPUTED else self.stem)
        page = PAGES.get(key, key)
        told = f"[{key}]({page}.md)" if self.study else f"`hepclf/{COMPUTED[key]}`"
        asked = f" Drawn {'by ' if ASKED[key].startswith('`') else ''}{ASKED[key]}." if key in ASKED else ""
        picture = f"![{self.name}](pictures/{self.name}.png)"
        return f"### {self.stem}\n\n{picture}\n\n{self.caption}\n\nComputed by {told}.{asked}\n"


def write(folder: Path) -> None:
    pictures = DOCS / "pictures"
    pictures.mkdir(exist_ok=True)
    shown = {heading: list(found(folder, text)) for heading, text in ORDER.items()}
    every = [one for row in shown.values() for one in row]
    if missing := set(STUDIES) - {one.study for one in every}:
        sys.exit(f"gallery: there is no picture of {', '.join(sorted(missing))}; name one in ORDER")
    for one in every:
        small = Image.open(one.png).convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        small.save(pictures / f"{one.name}.png", optimize=True)
    for png in set(pictures.glob("*.png")) - {pictures / f"{one.name}.png" for one in every}:
        png.unlink()
    parts = [f"## {heading}\n\n" + "\n".join(one.lines for one in row) for heading, row in shown.items()]
    (DOCS / "pictures.md").write_text("\n".join([HEAD, *parts]), encoding="utf-8")


def found(folder: Path, text: str) -> Iterator[Shown]:
    """The pictures of a line of ORDER."""
    for run, stems in (part.split(": ") for part in text.split(", ")):
        plots = folder / RUNS[run][0]
        index = plots / "pictures.json"
        told = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
        for stem in stems.split():
            about = told.get(stem, {})
            caption = about.get("caption") or SAID[f"{run} {stem}"]
            yield Shown(plots / f"{stem}.png", run, stem, caption, about.get("study"))


def make(folder: Path) -> None:
    """The runs, in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with chdir(folder):
        Path("lab/data").mkdir(parents=True, exist_ok=True)
        Path("lab/data/flavours.yaml").write_text(FLAVOURS, encoding="utf-8")
        jets(Path("simulated.csv"), 20_000, share=0.3, seed=1)
        jets(Path("observed.csv"), 6150, share=150 / 6150, seed=2)
        for place, words in RUNS.values():
            if not Path(place).is_dir() and main(shlex.split(words)) != 0:
                sys.exit(f"gallery: this failed: hepclf {words}")


def jets(path: Path, events: int, share: float, seed: int) -> None:
    """A table of a search for a resonance in jets, whose mass the width of a jet follows."""
    rng = np.random.default_rng(seed)
    label = (rng.random(events) < share).astype(np.int64)
    mass = np.where(label, rng.normal(125, 12, events), 40 + rng.gamma(2.0, 35, events))
    pt = 40 + rng.exponential(np.where(label, 140, 90))
    columns = {
        "label": label,
        "mass": mass,
        "fat_jets": rng.poisson(np.minimum(pt / 400, 1)),
        "pt": pt,
        "width": 0.25 + 0.04 * np.log(mass / 100) - 0.06 * label + rng.normal(0, 0.05, events),
        "angle": rng.normal(0, np.where(label, 0.8, 1.4)),
    }
    table = np.column_stack(list(columns.values()))
    np.savetxt(path, table, delimiter=",", header=",".join(columns), comments="", fmt="%.6g")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as aside:
        place = Path(sys.argv[1] if len(sys.argv) > 1 else aside).resolve()
        make(place)
        write(place)
