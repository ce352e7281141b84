"""Shared by all networks: prepared inputs, weights found by the trainer, a tagger in safetensors."""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from hepclf.events import Events, Sentinels
from hepclf.models.batch_norm import check_batch_norm
from hepclf.models.event_checks import check_finite, check_scorable, slices
from hepclf.models.model import Fit, score_shape
from hepclf.models.module import Module
from hepclf.models.preprocess import Prepare, Preprocess
from hepclf.models.rows import table
from hepclf.models.tagger import read_sentinels, read_tagger, write_tagger, written_sentinels
from hepclf.models.trust import check_layers, trusted_class
from hepclf.recipe import TARGET, build, describe, recipe
from hepclf.training.blocks import Blocks, shortage
from hepclf.training.descent import Descent
from hepclf.training.device import resolve
from hepclf.training.epoch import Epoch
from hepclf.training.mean_loss import ROWS
from hepclf.training.memory import explained
from hepclf.training.precision import check_precision
from hepclf.training.ranks import check_started, group
from hepclf.training.seeds import seeded
from hepclf.training.trainer import FOR_ALL, RATE, Trainer

KIND = "network"
WEIGHTS = "weights.safetensors"
CPU = torch.device("cpu")


@recipe
class Network(ABC):
    """A model whose tagger is a torch module; a recipe adds its settings and builds the module.

    average  evaluate and store the mean of the weights over the latest steps (training/average.py)
    """

    rate: ClassVar[float] = RATE  # where trainer.learning_rate names none

    preprocess: Preprocess = field(default_factory=Preprocess)
    l2: float = 0.0
    average: bool = False

    def __post_init__(self) -> None:
        if self.l2 < 0:
            raise ValueError(f"l2 must be at least 0, not {self.l2}")

    @property
    def trainer_settings(self) -> frozenset[str]:
        """The trainer's settings that a fit uses: all that affect how weights are found."""
        return frozenset(setting.name for setting in fields(Trainer)) - FOR_ALL

    @abstractmethod
    def network(self, inputs: int, outputs: int) -> nn.Module:
        """The module from prepared inputs [n, inputs] to logits [n, outputs], freshly initialised.

        In training mode, a network of m members may return the logits of each of them, [m, n, outputs].
        """

    def named_network(self, inputs: tuple[str, ...], outputs: int) -> nn.Module:
        """The same from the names of the inputs, for a network to which their places matter."""
        return self.network(len(inputs), outputs)

    def check(self, names: tuple[str, ...] | None, classes: tuple[str, ...] | None, trainer: Trainer) -> None:  # noqa: ARG002
        """Refuse settings that do not fit these features and classes, and a device that does not exist.

        None if they are not known yet.
        """
        if names is not None:
            self.preprocess.check(names)
        check_precision(trainer.precision, resolve(trainer.device))

    def fit(self, train: Events, valid: Events, trainer: Trainer) -> Fit:
        """A training of this network; iterate over it."""
        return NetworkFit(self, train, valid, trainer)


class NetworkFit:
    """A running training; `tagger()` gives the epoch with the best validation loss (or the last, see trainer.keep)."""

    def __init__(self, recipe: Network, train: Events, valid: Events, trainer: Trainer) -> None:
        self._recipe, self._trainer, self._classes, self._sentinels = recipe, trainer, train.classes, train.sentinels
        check_started(trainer.devices)
        device = resolve(trainer.device)
        train, valid = trainer.weighing(train), trainer.weighing(valid)
        weights = trainer.weights(train)
        prepare = recipe.preprocess.fit(train.features, train.names, weights)
        with seeded(CPU, trainer.seed):
            self._module = Module(recipe, prepare, len(train.classes))
        check_batch_norm(self._module, trainer.batch_size(len(train)))
        group().spread([*self._module.parameters(), *self._module.buffers()])  # rounded alike on every machine
        subject = (
            f"a table of {len(train) + len(valid):,} events with {len(prepare.inputs)} inputs, beside the network,"
        )
        with explained(lambda: shortage(subject, device, "fewer events or features")):
            self._module.to(device)  # `prepare` too
            self._train = table(train, weights, prepare, trainer, device)
            self._valid = table(valid, trainer.weights(valid), prepare, trainer, device)
            self._descent = Descent(
                *(self._module.body, self._train, self._valid, trainer),
                rate=recipe.rate,
                l2=recipe.l2,
                average=recipe.average,
            )
            self.rate_test = self._descent.rate_test() if trainer.find_rate else None

    @property
    def epochs(self) -> int:
        """The trainer's number of epochs."""
        return self._trainer.passes(len(self._train.targets))

    @property
    def patience(self) -> int | None:
        """The trainer's patience."""
        return self._trainer.patience

    @property
    def valid_seconds(self) -> float:
        """The time spent on the validation set."""
        return self._descent.valid_seconds

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self._descent)

    def edges(self) -> Iterator[Epoch | None]:
        """Train; yields an Epoch at the end of one, None at an edge within one."""
        return self._descent.edges()

    def state(self) -> dict[str, Any]:
        """A copy of everything that the next epochs depend on."""
        return self._descent.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from the stored state of a fit with the same recipe, events and trainer."""
        self._descent.restore(state)

    def tagger(self) -> NetworkTagger:
        """The tagger of the epoch that trainer.keep names."""
        if not self._descent.kept:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        module = copy.deepcopy(self._module)
        module.body.load_state_dict(self._descent.kept)
        best, parameters = self._descent.best, sum(map(torch.numel, module.body.parameters()))
        summary = {"kept_epoch": best.epoch, "valid_loss": best.loss, "parameters": parameters}
        return NetworkTagger(module, self._recipe, self._classes, summary, self._sentinels)


class NetworkTagger:
    """A trained network that takes raw events; several threads may score with it at once."""

    def __init__(
        self,
        module: Module,
        recipe: Network,
        classes: tuple[str, ...],
        summary: Mapping[str, Any],
        sentinels: Sentinels | None = None,
    ) -> None:
        self._module = module.eval().requires_grad_(False)
        self.recipe = recipe
        self.inputs = module.prepare.names
        self.sentinels: Sentinels = {name: values for name, values in (sentinels or {}).items() if name in self.inputs}
        self.classes = classes
        self.summary = summary
        self._blocks = Blocks(ROWS)

    @property
    def module(self) -> Module:
        """Raw features to logits, in evaluation mode."""
        return self._module

    @property
    def device(self) -> str:
        """The device on which it scores: cpu, cuda:0..."""
        return str(self._module.prepare.fill.device)

    def scores(self, events: Events) -> NDArray[np.float64]:
        """Probability of the signal [n], or of each class [n, k]; the sigmoid is computed in float64.

        If memory on the device is short, it scores fewer events at a time; the scores are the same up to rounding.
        """
        check_scorable(events, self.inputs, self._module.prepare.missing, self.sentinels)
        # Filled in place: separate results would fragment the memory and block a hundred times their own size.
        logits = torch.empty(score_shape(len(events), len(self.classes)), dtype=torch.float64)
        for number, part in enumerate(slices(events, self.inputs, self.sentinels, ROWS)):
            device, start = self._module.prepare.fill.device, number * ROWS
            for values in self._blocks.values(len(part), functools.partial(self._logits, part), device):
                logits[start : start + len(values)] = values
                start += len(values)
        check_finite(logits.numpy(), events, self.inputs, self.sentinels)
        probabilities = torch.sigmoid(logits) if logits.ndim == 1 else torch.softmax(logits, 1)
        return np.asarray(probabilities.numpy())

    def _logits(self, features: NDArray[np.float32], rows: slice) -> Tensor:
        device = self._module.prepare.fill.device
        with torch.inference_mode():
            logits: Tensor = self._module(torch.tensor(features[rows], device=device))
            return logits.cpu()

    def to(self, device: str) -> NetworkTagger:
        """The same tagger, scoring on this device."""
        module = copy.deepcopy(self._module).to(resolve(device))
        return NetworkTagger(module, self.recipe, self.classes, self.summary, self.sentinels)

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and its weights in safetensors."""
        state = {name: value.detach().cpu().contiguous() for name, value in self._module.state_dict().items()}
        contents = {
            "kind": KIND,
            "recipe": describe(self.recipe),
            "prepare": self._module.prepare.structure(),
            "inputs": self.inputs,
            "classes": self.classes,
            "summary": self.summary,
            **written_sentinels(self.sentinels),
        }
        write_tagger(Path(folder), {WEIGHTS: save_tensors(state)}, contents)

    @classmethod
    def load(cls, folder: Path | str, recipes: tuple[type[Network], ...] = ()) -> NetworkTagger:
        """Read a saved tagger; `recipes` are your own classes that it may use, besides hepclf's."""
        head, files = read_tagger(Path(folder), KIND)
        try:
            module, recipe = _module(head, load_tensors(files[WEIGHTS]), recipes)
            return cls(module, recipe, tuple(head["classes"]), head["summary"], read_sentinels(head))
        except (KeyError, TypeError, IndexError, RuntimeError, OverflowError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{folder}/tagger.json and its weights do not fit together: {reason}") from error
        except ValueError as error:
            raise ValueError(f"{folder}/tagger.json cannot be loaded: {' '.join(str(error).split())}") from error


def _module(
    head: Mapping[str, Any], tensors: dict[str, Tensor], recipes: tuple[type[Network], ...]
) -> tuple[Module, Network]:
    """The module and the recipe of a tagger.json and its tensors.

    A recipe of hepclf is first built without memory, so that a file cannot request more memory than it fills.
    """
    settings = head.get("recipe")
    target = settings.get(TARGET) if isinstance(settings, dict) else None
    chosen = trusted_class(target, recipes, Network)
    check_layers(settings, len(tensors))
    recipe: Network = build(chosen, settings, "recipe")
    prepare = Prepare.read(tuple(head["inputs"]), head.get("prepare"))
    classes = len(head["classes"])
    devices = (CPU,) if chosen in recipes else (torch.device("meta"), CPU)
    for device in devices:
        with seeded(CPU, 0), device:
            module = Module(recipe, prepare, classes)
        _fill(module, tensors)
        if not any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers())):
            break  # otherwise the body holds tensors that are not saved, and only real memory can hold them
    prepare.check()
    return module, recipe


def _fill(module: Module, tensors: dict[str, Tensor]) -> None:
    for name, value in module.state_dict().items():
        if name in tensors and tensors[name].dtype != value.dtype:
            raise ValueError(f"the weights hold {name!r} as {tensors[name].dtype}, not {value.dtype}")
    if broken := [name for name, value in tensors.items() if not bool(torch.isfinite(value).all())]:
        raise ValueError(f"the weights hold values that are not finite in {broken[0]!r}; refused")
    module.load_state_dict(tensors, assign=True)
