"""What every network shares: inputs prepared, weights found by the trainer, a tagger in safetensors."""

from __future__ import annotations

import copy
import importlib
import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from hepclf.events import Events
from hepclf.models.model import Fit
from hepclf.models.preprocess import ROWS, Prepare, Preprocess
from hepclf.models.tagger import read_tagger, write_tagger
from hepclf.recipe import TARGET, build, describe, recipe
from hepclf.training.device import resolve
from hepclf.training.trainer import Epoch, Table, Trainer, epochs
from hepclf.training.weights import training_weights

WEIGHTS = "weights.safetensors"

log = logging.getLogger(__name__)


@recipe
class Network(ABC):
    """A model whose tagger is a torch module; a recipe adds its settings and says what the module is."""

    preprocess: Preprocess = field(default_factory=Preprocess)
    l2: float = 0.0

    def __post_init__(self) -> None:
        if self.l2 < 0:
            raise ValueError(f"l2 must not be negative, however l2={self.l2}")

    @abstractmethod
    def network(self, inputs: int, outputs: int) -> nn.Module:
        """The module from prepared inputs [n, inputs] to logits [n, outputs], freshly initialised."""

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this network; iterate over it."""
        return NetworkFit(self, train, valid, trainer)


class Module(nn.Module):
    """Raw features to logits: [n] for two classes, [n, k] for more. Training sees `body` and prepared inputs."""

    def __init__(self, recipe: Network, prepare: Prepare, classes: int) -> None:
        super().__init__()
        self.prepare = prepare
        self.body = recipe.network(len(prepare.inputs), 1 if classes == 2 else classes)
        if classes == 2:
            self.body = nn.Sequential(self.body, nn.Flatten(0))

    def forward(self, features: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.body(self.prepare(features))
        return logits


class NetworkFit:
    """A network being trained; `tagger()` gives the best epoch by validation loss (or the last, trainer.keep)."""

    def __init__(self, recipe: Network, train: Events, valid: Events, trainer: Trainer) -> None:
        self._recipe, self._trainer, self._classes = recipe, trainer, train.classes
        device = resolve(trainer.device)
        prepare = recipe.preprocess.fit(train.features, train.names).to(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(trainer.seed)
            self._module = Module(recipe, prepare, len(train.classes)).to(device)
        self._train = table(train, prepare, trainer, device)
        self._valid = table(valid, prepare, trainer, device)
        self._best = (0, math.inf)
        self._state: dict[str, Tensor] = {}

    def __iter__(self) -> Iterator[Epoch]:
        for epoch in epochs(self._module.body, self._train, self._valid, self._trainer, self._recipe.l2):
            if epoch.valid_loss < self._best[1] or self._trainer.keep == "last":
                self._best = (epoch.epoch, epoch.valid_loss)
                self._state = {name: value.clone() for name, value in self._module.body.state_dict().items()}
            yield epoch

    def tagger(self) -> NetworkTagger:
        """The tagger of the epoch that trainer.keep names."""
        if not self._state:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        module = copy.deepcopy(self._module)
        module.body.load_state_dict(self._state)
        summary = {"kept_epoch": self._best[0], "valid_loss": self._best[1], "parameters": _count(module.body)}
        return NetworkTagger(module, self._recipe, self._classes, summary)


def table(events: Events, prepare: Prepare, trainer: Trainer, device: torch.device) -> Table:
    """Events as the loss wants them: prepared inputs, targets and training weights on the device."""
    weights = training_weights(events.labels, events.weights, events.classes, trainer.balance, trainer.negative_weights)
    targets = torch.tensor(events.labels, device=device)
    return Table(
        prepare.all(events.features, device),
        targets.float() if len(events.classes) == 2 else targets,
        torch.tensor(weights, dtype=torch.float32, device=device),
        prepare.inputs,
    )


class NetworkTagger:
    """A trained network that takes raw events; safe to score from several threads at once."""

    def __init__(self, module: Module, recipe: Network, classes: tuple[str, ...], summary: Mapping[str, Any]) -> None:
        self._module = module.eval().requires_grad_(False)
        self.recipe = recipe
        self.inputs = module.prepare.names
        self.classes = classes
        self.summary = summary

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n], or of each class [n, k]; the sigmoid is taken in float64."""
        features = events.select(self.inputs)
        self._warn_of_new_missing(features)
        parts = [self._logits(features[start : start + ROWS]) for start in range(0, max(len(features), 1), ROWS)]
        logits = torch.cat(parts).double()
        scores: NDArray[np.float64] = (torch.sigmoid(logits) if logits.ndim == 1 else torch.softmax(logits, 1)).numpy()
        return scores

    def _logits(self, features: NDArray[np.float32]) -> Tensor:
        device = self._module.prepare.fill.device
        with torch.inference_mode():
            logits: Tensor = self._module(torch.tensor(features, device=device))
            return logits.cpu()

    def _warn_of_new_missing(self, features: NDArray[np.float32]) -> None:
        prepare = self._module.prepare
        for column in set(prepare.kept) - set(prepare.missing):
            if count := int(np.isnan(features[:, column]).sum()):
                log.warning(
                    "feature %r is missing in %d events but never was in training; its median stands in",
                    self.inputs[column],
                    count,
                )

    def to(self, device: str) -> NetworkTagger:
        """The same tagger, scoring on this device."""
        return NetworkTagger(copy.deepcopy(self._module).to(resolve(device)), self.recipe, self.classes, self.summary)

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and weights.safetensors."""
        state = {name: value.detach().cpu().contiguous() for name, value in self._module.state_dict().items()}
        contents = {
            "kind": "network",
            "recipe": describe(self.recipe),
            "prepare": self._module.prepare.structure(),
            "inputs": self.inputs,
            "classes": self.classes,
            "summary": self.summary,
        }
        write_tagger(Path(folder), {WEIGHTS: save_tensors(state)}, contents)

    @classmethod
    def load(cls, folder: Path | str, recipes: tuple[type[Network], ...] = ()) -> NetworkTagger:
        """Read a saved tagger; `recipes` are classes of yours that it may be made of, beside hepclf's own."""
        head, files = read_tagger(Path(folder))
        try:
            recipe = build(_recipe_class(head["recipe"][TARGET], recipes), head["recipe"], "recipe")
            settings = head["prepare"]
            prepare = Prepare(**{name: tuple(settings[name]) for name in ("names", "kept", "kinds", "missing")})
            classes = tuple(head["classes"])
            module = Module(recipe, prepare, len(classes))
            module.load_state_dict(load_tensors(files[WEIGHTS]))
        except (KeyError, TypeError, IndexError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{folder}/tagger.json and its weights do not fit together: {reason}") from error
        if broken := [name for name, value in module.state_dict().items() if not bool(torch.isfinite(value).all())]:
            raise ValueError(f"{folder}/{WEIGHTS} holds values that are not finite in {broken[0]!r}; refused")
        return cls(module, recipe, classes, head.get("summary", {}))


def _recipe_class(target: str, recipes: tuple[type[Network], ...]) -> type[Network]:
    """The class that a tagger names: one of the caller's, or one of hepclf's own; nothing else is imported."""
    for given in recipes:
        if target == f"{given.__module__}.{given.__qualname__}":
            return given
    module, _, name = target.rpartition(".")
    if not module.startswith("hepclf.models."):
        raise ValueError(
            f"the tagger is made of {target}, which is not part of hepclf; "
            "pass the class in recipes=(...) if you trust it"
        )
    found = getattr(importlib.import_module(module), name, None)
    if not (isinstance(found, type) and is_dataclass(found) and issubclass(found, Network) and fields(found)):
        raise ValueError(f"the tagger names {target}, which is not a network of hepclf")
    return found


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
