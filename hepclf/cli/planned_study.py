"""The plan of `hepclf tune`, checked before the first trial: its space, its settings and its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hepclf.cli import configs
from hepclf.cli.choices import check_choices
from hepclf.cli.config import Composed
from hepclf.cli.recipes import refuse_unknown, seed_of
from hepclf.cli.space import divided, parameter, space
from hepclf.cli.trial_jobs import TrialJobs, trial_jobs
from hepclf.recipe import RecipeError, build
from hepclf.run import new_folder

if TYPE_CHECKING:
    from hepclf.search.folder import StudyFolder
    from hepclf.search.space import Space
    from hepclf.search.tuning import Tuning
    from hepclf.workflow.job import Job

KNOWN = ("data", "model", "trainer", "evaluation", "seed", "runs", "folder", "resume", "space", "tune")
OWN = ("runs", "folder", "resume", "space", "tune")  # keys that no trial needs
AUTO = "auto"


class PlannedStudy(NamedTuple):
    """The study that the command line describes.

    words     the words that all trials share
    defaults  values of the parameters without the search
    resumes   whether a study that is already in the folder is continued
    """

    words: tuple[str, ...]
    tuning: Tuning
    space: Space
    seed: int
    defaults: Mapping[str, Any]
    folder: Path
    resumes: bool

    def opened(self) -> StudyFolder:
        """The study's folder: a new one, or the existing one if the same study is continued."""
        from hepclf.search.folder import StudyFolder

        if self.resumes and StudyFolder(self.folder).file.is_file():
            return self._continued(StudyFolder.open(self.folder))
        return StudyFolder.create(
            self.folder.resolve(),
            words=self.words,
            tuning=self.tuning,
            space=self.space,
            seed=self.seed,
            defaults=self.defaults,
        )

    def _continued(self, folder: StudyFolder) -> StudyFolder:
        pairs = {
            "other settings": (folder.words, self.words),
            "another space": (folder.space, self.space),
            "another seed": (folder.seed, self.seed),
            "another kind of search": (self._kept(folder.tuning), self._kept(self.tuning)),
        }
        for difference, (stored, present) in pairs.items():
            if stored != present:
                advice = "restore that, or choose a new folder"
                raise ValueError(f"{self.folder} holds a search with {difference}; {advice}")
        return folder.changed(trials=self.tuning.trials, workers=self.tuning.workers)

    def _kept(self, tuning: Tuning) -> Tuning:
        """The settings of a search that must stay the same while it lasts."""
        return replace(tuning, trials=1, workers=1)


def planned(words: Sequence[str]) -> PlannedStudy:
    """The study of a command line; every corner of its space is composed, so that a typo is found now."""
    _refuse_folds(words)
    shared, varied, chosen_space = _parts(words)
    groups = _groups(varied)
    check_choices("tune", words)
    with trial_jobs(_trial_words(shared)) as jobs:
        base = TrialJobs(jobs.hydra, tuple(shared)).composed({})
        values = base.values
        refuse_unknown(values, KNOWN)
        tuning: Tuning = build(_tuning(), values["tune"], "tune")
        folders = configs.user_folders(words)
        by_model = _by_model(jobs, groups, base)
        chosen = values["space"] if chosen_space is None else chosen_space
        searched = space(varied, chosen, by_model, folders)
        if not len(searched):
            advice = "say which settings vary, as in model.l2=interval(0,1), or space=auto"
            raise RecipeError(f"nothing is searched; {advice}")
        tuning.check(searched)
        for corner in searched.corners():
            _check(jobs, searched, corner)
        return PlannedStudy(
            words=jobs.words,
            tuning=tuning.limited(searched),
            space=searched,
            seed=seed_of(values),
            defaults=_defaults(searched, base, jobs),
            folder=_folder(values),
            resumes=values["resume"] == AUTO,
        )


def _refuse_folds(words: Sequence[str]) -> None:
    for word in words:
        if word.lstrip("+~").partition("=")[0].partition(".")[0] == "folds":
            raise RecipeError(
                f"{word} is not for hepclf tune, whose trials see training and validation events alone; train the best "
                "settings in folds afterwards, hepclf train again=STUDY/best.yaml folds=kfold"
            )


def _check(jobs: TrialJobs, searched: Space, corner: Mapping[str, Any]) -> None:
    """Refuse a corner that cannot be composed; an interval of whole numbers must be declared as such."""
    try:
        jobs.job(searched.settings(corner))
    except RecipeError as error:
        for item in searched.parameters:
            if str(error).startswith(f"{item.key} must be a whole number") and type(corner.get(item.name)) is float:
                low, high = item.ends
                interval = f"int(interval({low:.15g},{high:.15g}))"
                if item.log:  # type: ignore[union-attr]
                    interval = f"tag(log,{interval})"
                raise RecipeError(f"{error}; say {item.key}={interval}") from error
        raise


def shared_words(words: Sequence[str]) -> list[str]:
    """The words of a command line that all trials share."""
    return _parts(words)[0]


def _parts(words: Sequence[str]) -> tuple[list[str], list[str], str | None]:
    """The words that all trials share, the words with values to search, and the chosen space."""
    shared, varied = divided(_without_flags(words))
    shared, chosen_space = _without_space(shared)
    return shared, varied, chosen_space


def _tuning() -> type[Tuning]:
    from hepclf.search.tuning import Tuning

    return Tuning


def _without_flags(words: Sequence[str]) -> list[str]:
    if {"-m", "--multirun"} & set(words):
        raise RecipeError("-m is a sweep, hepclf train -m; hepclf tune searches what is varied without a flag")
    return list(words)


def _without_space(words: Sequence[str]) -> tuple[list[str], str | None]:
    """The words, and the space that one of them chooses; Hydra knows only groups of recipes, not files of a space."""
    chosen = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("space=")]
    others = [word for word in words if not word.lstrip("+").startswith("space=")]
    return others, chosen[-1] if chosen else None


def _trial_words(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word.lstrip("+").partition("=")[0].partition(".")[0] not in OWN)


def _groups(varied: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The choices of the groups that are searched."""
    chosen = {item.key: item.ends for item in map(parameter, varied) if item.key in configs.GROUPS}
    if refused := sorted(set(chosen) - {"model", "data"}):
        advice = "name its settings, as in trainer.batch=choice(128,256)"
        raise RecipeError(f"{refused[0]} cannot be searched as a whole; {advice}")
    return {group: tuple(map(str, names)) for group, names in chosen.items()}


def _by_model(jobs: TrialJobs, groups: Mapping[str, Sequence[str]], base: Composed) -> dict[str, Job]:
    """A job of each model that may be chosen, by the model's name."""
    if "model" in groups:
        return {name: jobs.job({"model": name}) for name in groups["model"]}
    return {str(base.chosen("model").get("model")): jobs.job({})}


def _defaults(searched: Space, base: Composed, jobs: TrialJobs) -> dict[str, Any]:
    """The values of the parameters in the configuration without the search."""
    groups: dict[str, Any] = {}
    for item in searched.parameters:
        if item.key in configs.GROUPS:
            default = base.choices.get(item.key)
            groups[item.key] = default if item.holds(default) else item.ends[0]
    values = jobs.composed(groups).values
    return searched.point(
        {item.key: groups.get(item.key, _looked_up(values, item.key)) for item in searched.parameters}
    )


def _looked_up(values: Any, key: str) -> Any:
    for name in key.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(name)
    return values


def _folder(values: Mapping[str, Any]) -> Path:
    if values["resume"] not in (None, AUTO):
        raise RecipeError(f"resume must be auto or null, not {values['resume']!r}; say hepclf tune resume DIR")
    if values["resume"] == AUTO and not values["folder"]:
        raise RecipeError("resume=auto needs folder=DIR, the folder of the search; or say hepclf tune resume DIR")
    if not isinstance(values["runs"], str):
        raise RecipeError(f"runs must be a folder, not {values['runs']!r}")
    return Path(str(values["folder"] or new_folder(values["runs"], "studies")))
