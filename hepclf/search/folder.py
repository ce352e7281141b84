"""The folder of a study: its settings, the journal of the engine, and a folder for each trial."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hepclf.files import read_yaml, write_yaml
from hepclf.recipe import TARGET, RecipeError, build, describe
from hepclf.run import Run
from hepclf.search.own_code import divided_code
from hepclf.search.space import Space
from hepclf.search.trial import Trial
from hepclf.search.tuning import Tuning
from hepclf.workflow.sweep import TABLE

SCHEMA = 1


@dataclass(frozen=True)
class StudyFolder:
    """A study; all its files are below `path`."""

    path: Path

    @classmethod
    def create(
        cls, path: Path, *, words: Sequence[str], tuning: Tuning, space: Space, seed: int, defaults: Mapping[str, Any]
    ) -> StudyFolder:
        """A new study in a folder that is empty or does not exist yet.

        `words` are the words of the command line that all trials have in common. `defaults` are the values of the
        parameters in the configuration without the search, if they are in the space.
        """
        if path.is_dir() and any(path.iterdir()):
            raise FileExistsError(f"{path} {_contents(path)}")
        folder = cls(path)
        folder.trials_folder.mkdir(parents=True, exist_ok=True)
        folder._write(
            directory=str(Path.cwd()),
            words=list(words),
            seed=seed,
            tuning=tuning,
            space=space.describe(),
            defaults=dict(defaults),
        )
        return folder

    @classmethod
    def open(cls, path: Path) -> StudyFolder:
        """The study in a folder."""
        folder = cls(path.resolve())
        if not folder.file.is_file():
            raise FileNotFoundError(
                f"{path} holds no search: it has no {folder.file.name}; give the folder of a search"
            )
        if (schema := folder.contents.get("schema")) != SCHEMA:
            raise ValueError(f"{folder.file} must have schema {SCHEMA}, not {schema!r}; use the hepclf that wrote it")
        return folder

    def changed(self, **settings: Any) -> StudyFolder:
        """The same study with other settings of its search, such as more trials; trials that have begun are kept."""
        begun = max((trial.number + 1 for trial in self.trials()), default=0)
        if settings.get("trials", begun) < begun:
            raise RecipeError(
                f"tune.trials must be at least {begun}, as so many have begun, not {settings['trials']}; leave it out"
            )
        contents = {name: self.contents[name] for name in ("directory", "words", "seed", "space", "defaults")}
        self._write(tuning=replace(self.tuning, **settings).limited(self.space), **contents)
        return StudyFolder(self.path)

    def _write(self, *, tuning: Tuning, **contents: Any) -> None:
        described = {name: value for name, value in describe(tuning).items() if name != TARGET}
        versions = {name: version(name) for name in ("hepclf", "optuna")}
        write_yaml(self.file, {"schema": SCHEMA, "versions": versions, "tuning": described, **contents}, durable=True)

    @property
    def file(self) -> Path:
        """The settings of the study."""
        return self.path / "study.yaml"

    @property
    def journal(self) -> Path:
        """The engine's record of the trials, which can be rebuilt from their folders."""
        return self.path / "study.journal"

    @property
    def table(self) -> Path:
        """The table with one row for each trial."""
        return self.path / "study.csv"

    @property
    def best(self) -> Path:
        """The configuration of the best trial."""
        return self.path / "best.yaml"

    @property
    def front(self) -> Path:
        """The folder with the configurations of the front of two objectives."""
        return self.path / "front"

    def front_file(self, number: int) -> Path:
        """The configuration of a trial of the front."""
        return self.front / f"{self.trial(number).name}.yaml"

    @property
    def final(self) -> Run:
        """The training with the best trial's settings."""
        return Run(self.path / "best")

    @property
    def trials_folder(self) -> Path:
        """The folder with the folders of the trials."""
        return self.path / "trials"

    @cached_property
    def contents(self) -> dict[str, Any]:
        """The contents of study.yaml."""
        return read_yaml(self.file)

    @property
    def directory(self) -> Path:
        """The working directory of the command, which its relative paths refer to."""
        path = Path(str(self.contents["directory"]))
        if not path.is_dir():
            advice = f"mount it here, or change it in {self.file}"
            raise FileNotFoundError(f"the search was started in {path}, which is not there; {advice}")
        return path

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the command line that all trials have in common."""
        return tuple(self.contents["words"])

    @property
    def code_words(self) -> tuple[str, ...]:
        """Those words that make a user's own code run."""
        return divided_code(self.words, Path(str(self.contents["directory"])))[0]

    @property
    def seed(self) -> int:
        """The seed of the search."""
        return int(self.contents["seed"])

    @property
    def defaults(self) -> dict[str, Any]:
        """The values of the parameters without the search, if they are in the space."""
        return dict(self.contents["defaults"])

    @cached_property
    def tuning(self) -> Tuning:
        """The settings of the search."""
        tuning: Tuning = build(Tuning, self.contents["tuning"], "tune")
        return tuning

    @cached_property
    def space(self) -> Space:
        """The space of the search."""
        return Space.read(self.contents["space"])

    def trial(self, number: int) -> Path:
        """The folder of a trial."""
        return self.trials_folder / f"{number:04d}"

    def run(self, number: int, repeat: int) -> Run:
        """One training of a trial."""
        return Run(self.trial(number) / str(repeat))

    def trials(self) -> tuple[Trial, ...]:
        """The trials that have begun, by their numbers."""
        folders = [path for path in self.trials_folder.glob("*") if path.name.isdecimal()]
        trials = [Trial.read(path) for path in folders]
        return tuple(sorted((trial for trial in trials if trial is not None), key=lambda trial: trial.number))


def _contents(path: Path) -> str:
    """The contents of a folder that is not empty, and the way out, for an error."""
    elsewhere = "choose another folder for the search"
    if StudyFolder(path).file.is_file():
        return f"is not an empty folder; continue its search with hepclf tune resume {shlex.quote(str(path))}"
    if (path / TABLE).is_file():
        return f"holds a sweep; {elsewhere}"
    if Run(path).config.is_file():
        return f"holds a run; {elsewhere}"
    return f"holds other files; {elsewhere}"
