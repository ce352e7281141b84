"""What the settings of a training contradict in each other, found before any data are read."""

from __future__ import annotations

from hepclf.data.loader import Loader, Outline, outline
from hepclf.evaluation.evaluation import Evaluation
from hepclf.events import Events
from hepclf.models.calibrated import check_calibration
from hepclf.models.model import Model
from hepclf.recipe import RecipeError
from hepclf.training.trainer import Trainer


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
        raise ValueError(f"a classifier needs two classes or more, however the data has {known.classes[0]!r} alone")
    data.split.check(known.spectators)
    evaluation.check(known.classes, known.processes, known.spectators, known.features)
    evaluation.check_luminosity(known.luminosity_fb)
    if known.classes is not None:
        check_calibration(trainer.calibrate, known.classes)
    trainer.check(known.columns, known.classes)
    if hasattr(model, "check"):
        model.check(known.features, known.classes, trainer)
