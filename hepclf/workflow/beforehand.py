"""What the settings of a training contradict in each other, or leave without effect; no data are needed."""

from __future__ import annotations

from dataclasses import Field, fields, is_dataclass
from typing import Any

from hepclf.data.loader import Loader, Outline, outline
from hepclf.data.titles import check_titles
from hepclf.evaluation.evaluation import Evaluation
from hepclf.events import Events
from hepclf.models.calibrated import check_calibration
from hepclf.models.model import Model, trainer_settings
from hepclf.recipe import RecipeError
from hepclf.training.optimiser import WITH_MOMENTUM
from hepclf.training.ranks import group
from hepclf.training.trainer import FOR_ALL, Trainer
from hepclf.words import Caution
from hepclf.workflow.members.kfold import KFold, check_texts

# The seed is for all that is random in a run, where a model may have no part.
NEVER_UNUSED = FOR_ALL | {"seed"}


def check_settings(data: Loader, model: Model, trainer: Trainer, evaluation: Evaluation) -> None:
    """Refuse settings that contradict what the loader's own settings say of its events."""
    try:
        check_against(outline(data), data, model, trainer, evaluation)
    except RecipeError:
        raise
    except ValueError as error:
        raise RecipeError(str(error)) from error


def check_events(events: Events, data: Loader, model: Model, trainer: Trainer, evaluation: Evaluation) -> None:
    """The same of the events themselves, where the settings could not tell."""
    known = Outline(
        classes=events.classes,
        processes=events.process_names,
        features=events.names,
        spectators=tuple(events.spectators),
        luminosity_fb=outline(data).luminosity_fb,
    )
    check_against(known, data, model, trainer, evaluation)


def check_against(known: Outline, data: Loader, model: Model, trainer: Trainer, evaluation: Evaluation) -> None:
    """Refuse names, classes and luminosities that these data do not have; what is not known of them is not judged."""
    if known.classes is not None and len(known.classes) == 1:
        raise ValueError(f"the data must have at least two classes, not {known.classes[0]!r} alone")
    data.split.check(known.spectators)
    check_titles(data, known.columns)
    evaluation.check(known.classes, known.processes, known.spectators, known.features)
    evaluation.check_luminosity(known.luminosity_fb)
    if known.classes is not None:
        check_calibration(trainer.calibrate, known.classes)
    trainer.check(known.columns, known.classes)
    check_ranks(model, trainer)
    if hasattr(model, "check"):
        model.check(known.features, known.classes, trainer)


def check_ranks(model: Model, trainer: Trainer) -> None:
    """Refuse several processes for a model, or settings, that cannot share a batch among them."""
    count = max(trainer.devices or 1, group().size)
    if count > 1 and "devices" not in (trainer_settings(model) or ()):
        raise ValueError(
            f"trainer.devices must be 1 (or null) with {type(model).__name__}, not {count}; only networks that are "
            "trained by gradient descent share their batches among processes"
        )
    trainer.check_ranks(count)


def used_settings(model: Model, trainer: Trainer) -> frozenset[str]:
    """The trainer's settings that have an effect on this training; all of them for a model that does not state them."""
    declared = trainer_settings(model)
    if declared is None:
        return frozenset(field.name for field in fields(Trainer))
    used = declared | NEVER_UNUSED
    if trainer.optimiser not in WITH_MOMENTUM:
        used -= {"momentum"}
    return used


def check_folds(folds: KFold, data: Loader, trainer: Trainer) -> None:
    """Refuse columns that cannot number the events, and several processes for one training."""
    known = outline(data)
    try:
        check_texts(data, folds.columns)
        folds.check(known.spectators, known.features)
    except ValueError as error:
        raise RecipeError(str(error)) from error
    count = max(trainer.devices or 1, group().size)
    if count > 1:
        raise RecipeError(
            f"trainer.devices must be 1 (or null) with folds, not {count}; the trainings of the folds run side by side "
            "by themselves, each in one process"
        )
    if trainer.find_rate:
        raise RecipeError(
            "trainer.find_rate must be false with folds, not true; test the rates in a training without folds"
        )


def unused_split(data: Loader) -> tuple[Caution, ...]:
    """A warning of changed settings of the split, which folds do not use, or none."""
    settings: tuple[Field[Any], ...] = fields(data) if is_dataclass(data) else ()
    factories = [setting.default_factory for setting in settings if setting.name == "split"]
    if not factories or not callable(factories[0]):
        return ()
    default = factories[0]()
    values = {name: value for name, value in vars(data.split).items() if value != getattr(default, name, value)}
    changed = {f"data.split.{name}": value for name, value in values.items() if name != "seed"}
    if not changed:
        return ()
    typed = ", ".join(f"{name}={value}" for name, value in changed.items())
    verb = "have" if len(changed) > 1 else "has"
    text = f"{typed} {verb} no effect with folds, which decide the training, validation and test sets"
    return (Caution("unused_settings", tuple(changed), text),)


def random_folds(folds: KFold) -> tuple[Caution, ...]:
    """A warning that new files cannot be scored by the member that has not seen an event, or none."""
    if folds.columns:
        return ()
    text = (
        "folds are random: predict cannot tell which events a member was trained on, so it takes the mean of all "
        "members; use folds.by=event, or folds.by=[run,lumi,event]"
    )
    return (Caution("random_folds", ("folds.by",), text),)


def unused_settings(model: Model, trainer: Trainer, name: str) -> tuple[Caution, ...]:
    """A warning of trainer settings that were changed and that the model, called `name`, does not use, or none."""
    declared = trainer_settings(model)
    if declared is None:
        return ()
    used = used_settings(model, trainer)
    unused = {setting: value for setting, value in _changed(trainer).items() if setting not in used}
    for setting, value in (("device", "cpu"), ("devices", 1)):  # what the model does anyway
        if unused.get(setting) == value:
            del unused[setting]
    if not unused:
        return ()
    typed = ", ".join(f"trainer.{setting}={value}" for setting, value in unused.items())
    verb = "have" if len(unused) > 1 else "has"
    listed = ", ".join(sorted(used & (declared | {"calibrate"})))
    text = f"{typed} {verb} no effect with model={name}, which uses {listed}"
    return (Caution("unused_settings", tuple(unused), text),)


def _changed(trainer: Trainer) -> dict[str, Any]:
    """The settings that differ from the defaults, and their values."""
    defaults = Trainer()
    values = {field.name: getattr(trainer, field.name) for field in fields(Trainer)}
    return {name: value for name, value in values.items() if value != getattr(defaults, name)}
