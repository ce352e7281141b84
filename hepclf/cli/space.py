"""The space of a search in Hydra's grammar: `model.dropout=interval(0,0.5)`, or a file of such lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hepclf.cli import configs
from hepclf.cli.overrides import overrides
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError

if TYPE_CHECKING:
    from hepclf.search.space import Parameter, Space
    from hepclf.workflow.job import Job

AUTO, NONE = "auto", "null"
LOG = "log"
FIXED = (
    "seed",
    "trainer.seed",
    "trainer.device",
    "trainer.threads",
    "data.split",
    "evaluation",
    "tune",
    "space",
    "runs",
    "folder",
    "resume",
)


def divided(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that every trial shares, and the words with values to search, in their order."""
    shared: list[str] = []
    varied: list[str] = []
    for word in words:
        is_varied = "=" in word and not word.startswith("-") and overrides([_read(word)])[0].is_sweep_override()
        if is_varied:
            varied.append(word)
        else:
            shared.append(word)
    return shared, varied


def _read(word: str) -> str:
    """The word without the marks that let it name any key."""
    return word.lstrip("+")


def parameter(word: str) -> Parameter:
    """The parameter that a word names, such as `trainer.batch=range(256,2049,256)`."""
    from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep

    from hepclf.search.space import Choice

    override = overrides([_read(word)])[0]
    name, sweep = str(override.key_or_group), override.value()
    _refuse_fixed(name)
    for tag in sorted(getattr(sweep, "tags", set()) - {LOG}):
        raise RecipeError(f"{name} has the tag {tag!r}, which means nothing here{nearest(tag, [LOG])}")
    match sweep:
        case IntervalSweep():
            return _interval(name, sweep)
        case RangeSweep():
            return _range(name, sweep)
        case ChoiceSweep():
            return Choice(name=name, options=tuple(_plain(option) for option in sweep.list))
    raise RecipeError(f"{word} names no values to search; say {name}=choice(a,b), interval(a,b) or range(a,b,step)")


def _refuse_fixed(name: str) -> None:
    for key in FIXED:
        if name == key or name.startswith(f"{key}."):
            raise RecipeError(
                f"{name} cannot be searched, as trials would not be compared on equal terms; give it one value"
            )


def _interval(name: str, sweep: Any) -> Parameter:
    from hepclf.search.space import Float, Integer

    is_log = LOG in sweep.tags
    if type(sweep.start) is int:
        return Integer(name=name, low=sweep.start, high=sweep.end, log=is_log)
    return Float(name=name, low=sweep.start, high=sweep.end, log=is_log)


def _range(name: str, sweep: Any) -> Parameter:
    """A range of whole numbers, which excludes its end as Python's does, or a choice of numbers."""
    from hepclf.search.space import Choice, Integer

    if all(type(value) is int for value in (sweep.start, sweep.stop, sweep.step)):
        if not sweep.start < sweep.stop:
            raise RecipeError(f"{name} must be a range that rises, not from {sweep.start} to {sweep.stop}")
        return Integer(name=name, low=sweep.start, high=sweep.stop - 1, step=sweep.step, log=LOG in sweep.tags)
    return Choice(name=name, options=tuple(sweep.range()))


def _plain(option: Any) -> Any:
    """An option without Hydra's marks of quotes."""
    if isinstance(option, (list, tuple)):
        return [_plain(item) for item in option]
    return getattr(option, "text", option)


def ready(name: str, folders: Sequence[Path]) -> list[str]:
    """The words of a space in a file; the user's folders come first."""
    from hepclf.files import read_yaml

    for folder in (*folders, configs.folder()):
        path = folder / "space" / f"{name}.yaml"
        if path.is_file():
            return [f"{key}={value}" for key, value in read_yaml(path).items()]
    known = [path.stem for folder in (configs.folder(), *folders) for path in sorted((folder / "space").glob("*.yaml"))]
    raise RecipeError(
        f"there is no space {name!r}{nearest(name, known)}; say what to vary, as in model.l2=interval(0,1)"
    )


def space(varied: Sequence[str], chosen: Any, jobs: Mapping[str, Job], folders: Sequence[Path]) -> Space:
    """The space of the typed words and of the chosen file; a typed word replaces one in the file.

    `jobs` are those of each model that the search may choose, by the model's name.
    """
    from hepclf.search.space import Space

    typed = [parameter(word) for word in varied]
    settings = [item for item in typed if item.key not in configs.GROUPS]
    groups = [item for item in typed if item.key in configs.GROUPS]
    stored: list[Parameter] = []
    if chosen == AUTO and not settings:
        stored = _joined({name: ready(name, folders) for name in jobs})
    elif chosen not in (AUTO, None, NONE):
        stored = [parameter(word) for word in ready(str(chosen), folders)]
    names = {item.key for item in settings}
    parameters = [*settings, *(item for item in stored if item.key not in names)]
    return Space((*groups, *(_conditional(item, jobs) for item in parameters)))


def _joined(words: Mapping[str, Sequence[str]]) -> list[Parameter]:
    """The ready spaces of several models; a parameter that differs between them gets the model's name."""
    parameters = {model: [parameter(word) for word in lines] for model, lines in words.items()}
    if len(parameters) == 1:
        return next(iter(parameters.values()))
    models: dict[str, list[tuple[Parameter, str]]] = {}
    for model, items in parameters.items():
        for item in items:
            models.setdefault(item.name, []).append((item, model))
    return [conditional for items in models.values() for conditional in _merged(items)]


def _merged(items: Sequence[tuple[Parameter, str]]) -> Iterable[Parameter]:
    distinct: list[Parameter] = []
    for item, _ in items:
        if item not in distinct:
            distinct.append(item)
    for item in distinct:
        users = tuple(model for same, model in items if same == item)
        name = item.name
        if len(distinct) > 1:
            name = f"{name}@{'+'.join(users)}"
        yield replace(item, name=name, where={"model": users})


def _conditional(item: Parameter, jobs: Mapping[str, Job]) -> Parameter:
    """The parameter, restricted to the models that have this setting."""
    users = tuple(name for name, job in jobs.items() if _uses(job, item.key))
    if not users and item.key.startswith("trainer."):
        names = [field.name for field in fields(next(iter(jobs.values())).trainer)]
        if (name := item.key.split(".")[1]) not in names:
            raise RecipeError(f"{item.key} is not a setting of the trainer{nearest(name, names)}")
        raise RecipeError(f"{item.key} has no effect with model={', '.join(jobs)}; leave it out")
    if not users or item.where or len(users) == len(jobs):
        return item
    return replace(item, where={"model": users})


def _uses(job: Job, key: str) -> bool:
    """Whether a model has this setting, or uses this setting of the trainer; other settings apply to all models."""
    from hepclf.models.model import trainer_settings
    from hepclf.training.trainer import FOR_ALL

    group, _, setting = key.partition(".")
    first = setting.partition(".")[0]
    if group == "model":
        return first in {field.name for field in fields(job.model)}  # type: ignore[arg-type]
    used = trainer_settings(job.model)
    return group != "trainer" or used is None or first in used | FOR_ALL
