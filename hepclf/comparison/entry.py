"""A run in a comparison: the records of its folder besides its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hepclf.comparison.sculpted import Sculpted, sculpted
from hepclf.evaluation.case import Balance
from hepclf.evaluation.files.store import read_scores
from hepclf.files import folder_size, read_json, read_yaml
from hepclf.run import Run
from hepclf.scored import Scored
from hepclf.statistics.value import NOTHING, Value


class ReportedSignificance(NamedTuple):
    """The significance on test that the run's own evaluation gave, or the reason why there is none."""

    asimov: Value = NOTHING
    asimov_systematic: Value = NOTHING
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class RunEntry:
    """The configuration, results and cost of a run; None where its folder has no record.

    training_s, scoring_s   wall-clock seconds of the fit, and of the scores of all its events, on `device`
    tagger_bytes            size of the tagger's files
    kept_epoch              the epoch (or boosting round) that made the tagger
    valid_loss              log-loss on validation with the weights of the training
    sculpted                divergences of its background by spectator and working point
    """

    run: Run
    config: Mapping[str, Any]
    data: str
    model: str
    expected: ReportedSignificance
    device: str | None
    training_s: float | None
    scoring_s: float | None
    tagger_bytes: int | None
    sculpted: Sculpted = field(default_factory=dict)
    kept_epoch: int | None = None
    valid_loss: Value = NOTHING
    features: tuple[str, ...] = ()

    @property
    def evaluation(self) -> Mapping[str, Any]:
        """The settings of the run's evaluation."""
        return self.config.get("evaluation") or {}

    @property
    def balance(self) -> Balance:
        """The weights of the classes in its training, which define the mixture of its scores."""
        balance: Balance = (self.config.get("trainer") or {}).get("balance", "classes")
        return balance

    @property
    def yields(self) -> dict[str, float]:
        """Expected events by process or class in the settings of its evaluation, as yields or as cross sections."""
        settings = self.evaluation
        luminosity = settings.get("luminosity_fb") or 0.0
        cross_sections = {name: fb * luminosity for name, fb in (settings.get("cross_sections_fb") or {}).items()}
        return dict(settings.get("yields") or {}) | cross_sections

    def signal(self, classes: Sequence[str]) -> str:
        """The signal class of its evaluation: by default the last class."""
        return str(self.evaluation.get("signal") or classes[-1])

    def scored(self) -> Scored:
        """Its scored events."""
        return read_scores(self.run.scores)


def unfinished(run: Run) -> str | None:
    """Why a run has no scores to compare; None if it is finished."""
    if (status := run.status()).name not in ("finished", "unknown"):
        return str(status)
    if not run.config.is_file():
        return f"it holds no {run.config.name}"
    if not run.scores.is_file():
        return "it holds no scores"
    return None


def run_entry(run: Run) -> RunEntry:
    """Read everything but the scores of a run."""
    config, environment, metrics = read_yaml(run.config), _mapping(run.environment), _mapping(run.metrics)
    names = config.get("names")
    if not isinstance(names, Mapping) or not {"data", "model"} <= set(names):
        raise ValueError(f"{run.config} names no data and model, as the configuration of a run does")
    try:
        return _entry(run, config, environment, metrics)
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"the entries of {run.metrics.name} or {run.environment.name} are not those of a run ({error!r})"
        raise ValueError(f"{run.folder} cannot be read: {reason}; it was changed: train it again") from error


def _entry(run: Run, config: dict[str, Any], environment: Mapping[str, Any], metrics: Mapping[str, Any]) -> RunEntry:
    seconds, names = environment.get("seconds") or {}, config["names"]
    tagger_bytes = None
    if run.tagger.is_dir():
        tagger_bytes = folder_size(run.tagger)
    return RunEntry(
        run=run,
        config=config,
        data=str(names["data"]),
        model=str(names["model"]),
        expected=_expected(metrics),
        sculpted=sculpted(metrics),
        kept_epoch=(metrics.get("model") or {}).get("kept_epoch"),
        valid_loss=Value(**(metrics.get("valid") or {}).get("log_loss_as_trained", NOTHING.to_dict())),
        features=tuple((metrics.get("data") or {}).get("features") or ()),
        device=environment.get("device"),
        training_s=seconds.get("training", seconds.get("epochs")),
        scoring_s=seconds.get("scoring"),
        tagger_bytes=tagger_bytes,
    )


def _expected(metrics: Mapping[str, Any]) -> ReportedSignificance:
    if not metrics:
        return ReportedSignificance(reason="it was never evaluated")
    significance = metrics.get("test", {}).get("significance")
    if not significance:
        return ReportedSignificance(reason="there are no test events to quote a significance on")
    asimov, systematic = (Value(**significance[name]) for name in ("asimov", "asimov_systematic"))
    return ReportedSignificance(asimov, systematic, significance.get("reason"))


def _mapping(path: Path) -> dict[str, Any]:
    """The mapping in a JSON file; an empty one if there is no such file."""
    if not path.is_file():
        return {}
    contents = read_json(path)
    if not isinstance(contents, dict):
        raise ValueError(f"{path} must hold a mapping, not {type(contents).__name__}")
    return contents
