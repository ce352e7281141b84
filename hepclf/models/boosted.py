"""Shared by XGBoost's and LightGBM's models: boosting round by round, and a tagger in the library's own file."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from hepclf.events import Sentinels
from hepclf.models.arrays import Matrix
from hepclf.models.model import Uninterrupted
from hepclf.models.tagger import HEAD, read_sentinels, read_tagger, write_tagger, written_sentinels
from hepclf.models.tree_fit import COMPARED, compare_with_library, output_count
from hepclf.models.trees import LEAF, Nodes, TreesTagger, planted
from hepclf.training.epoch import Best, Epoch
from hepclf.training.trainer import Trainer

TOLERANCE = 1e-5  # a library may sum its trees in float32


class Boosting(Protocol):
    """A library's running boosting."""

    def step(self) -> tuple[float, float] | None:
        """One more round: the training and validation loss after it; None if nothing more can be learnt."""
        ...

    def stored(self, rounds: int) -> bytes:
        """The first rounds in the library's own format."""
        ...

    def probabilities(self, features: NDArray[np.float32], rounds: int) -> NDArray[np.float64]:
        """The library's own probabilities after so many rounds: of class 1 [n], or of each class [n, k]."""
        ...


class Stored(NamedTuple):
    """The contents of a library's file: its trees, round by round and class by class, and the baseline [outputs]."""

    trees: list[Nodes]
    baseline: NDArray[np.float64]


class BoostedTagger(TreesTagger):
    """Boosted trees in a file of the format of their library.

    hepclf reads this file itself. So a tagger scores without the library, and a file of unknown origin is checked by
    TreesTagger and never reaches native code that trusts its input.
    """

    file: ClassVar[str]

    def __init__(
        self,
        *,
        inputs: tuple[str, ...],
        classes: tuple[str, ...],
        data: bytes,
        summary: Mapping[str, Any],
        sentinels: Sentinels | None = None,
    ) -> None:
        trees, baseline = self.read(data, inputs, classes)
        if not trees or len(trees) % output_count(classes):
            raise ValueError(f"{len(trees)} trees cannot take turns for {output_count(classes)} outputs")
        for number, tree in enumerate(trees):
            _check_tree(number, tree, len(inputs))
        arrays = {**planted(trees), "baseline": baseline}
        counts = {"trees": len(trees), "leaves": len(arrays["values"])}
        self.data = data
        super().__init__(
            inputs=inputs,
            classes=classes,
            arrays=arrays,
            settings={"link": "logistic"},
            summary={**summary, **counts},
            sentinels=sentinels,
        )

    @staticmethod
    @abstractmethod
    def read(data: bytes, inputs: tuple[str, ...], classes: tuple[str, ...]) -> Stored:
        """The trees of a file; a ValueError or similar if they do not fit these inputs and classes."""

    def save(self, folder: Path | str) -> None:
        """Write tagger.json and the library's file."""
        contents = {"kind": self.kind, "inputs": self.inputs, "classes": self.classes, "summary": self.summary}
        write_tagger(Path(folder), {self.file: self.data}, {**contents, **written_sentinels(self.sentinels)})

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read a saved tagger of this kind."""
        head, files = read_tagger(Path(folder), cls.kind)
        inputs, classes = tuple(head["inputs"]), tuple(head["classes"])
        try:
            sentinels, summary = read_sentinels(head), head["summary"]
            return cls(inputs=inputs, classes=classes, data=files[cls.file], summary=summary, sentinels=sentinels)
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else repr(error)
            line = " ".join(reason.split())[:300]
            raise ValueError(f"{folder}/{HEAD} and its {cls.file} do not fit together: {line}") from error


class BoostedFit(Uninterrupted):
    """A running boosting; each round is an Epoch.

    begin  starts the library's boosting
    kind   the kind of tagger that reads its file
    """

    def __init__(
        self,
        parts: tuple[Matrix, Matrix],
        trainer: Trainer,
        *,
        begin: Callable[[], Boosting],
        kind: type[BoostedTagger],
        rounds: int,
        rate: float,
    ) -> None:
        self._train, self._valid = parts
        self._trainer, self._begin, self._kind, self._rounds, self._rate = trainer, begin, kind, rounds, rate
        self._boosting: Boosting | None = None
        self._best = Best(trainer.keep)

    @property
    def epochs(self) -> int:
        """The maximum number of rounds."""
        return self._rounds

    @property
    def patience(self) -> int | None:
        """The trainer's patience, in rounds."""
        return self._trainer.patience

    def __iter__(self) -> Iterator[Epoch]:
        started = time.perf_counter()
        self._boosting, self._best = None, Best(self._trainer.keep)
        self._boosting = boosting = self._begin()
        for number in range(1, self._rounds + 1):
            losses = boosting.step()
            if losses is None:
                return
            self._best.take(number, losses[1])
            yield Epoch(number, *losses, self._rate, time.perf_counter() - started)
            started = time.perf_counter()

    def tagger(self) -> BoostedTagger:
        """The tagger of the rounds that the trainer keeps."""
        if self._boosting is None or self._best.epoch == 0:
            raise ValueError("there is no tagger before the first epoch; iterate over the fit")
        summary = {"kept_epoch": self._best.epoch, "valid_loss": self._best.loss}
        data, train = self._boosting.stored(self._best.epoch), self._train
        tagger = self._kind(
            inputs=train.names, classes=train.classes, data=data, summary=summary, sentinels=train.sentinels
        )
        features = self._valid.features[:COMPARED]
        expected = self._boosting.probabilities(features, self._best.epoch)
        compare_with_library(tagger, features, expected, TOLERANCE, f"this version of {tagger.kind}")
        return tagger


def node_array(values: Any, kinds: str, length: int) -> NDArray[Any]:
    """A list [nodes] from a file as an array of numbers of these kinds; otherwise a ValueError."""
    array = np.asarray(values)
    if array.shape != (length,) or array.dtype.kind not in kinds:
        raise ValueError(f"a tree of {length} nodes has a list that is {array.dtype} {array.shape}")
    return array


def leaf_values(values: NDArray[np.float64], number: int, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """The values [nodes, outputs] of the tree with this number; the trees of a round belong to the classes in turn."""
    outputs = output_count(classes)
    columns = np.zeros((len(values), outputs))
    columns[:, number % outputs] = values
    return columns


def _check_tree(number: int, tree: Nodes, inputs: int) -> None:
    """Refuse unknown features, and children out of range or of two nodes: a walk through the tree might never end."""
    if tree.features.min() < LEAF or tree.features.max() >= inputs:
        raise ValueError(f"tree {number} looks at features that are not among the {inputs}")
    inner = tree.features != LEAF
    children = np.concatenate([tree.left[inner], tree.right[inner]])
    if not np.array_equal(np.sort(children), np.arange(1, len(inner))):
        raise ValueError(f"a node of tree {number} has no child, or two nodes share one")
    # An infinite threshold separates events with the feature from those without it.
    if np.isnan(tree.thresholds).any() or not np.isfinite(tree.values[~inner]).all():
        raise ValueError(f"tree {number} has thresholds that are no numbers, or values that are not finite")
