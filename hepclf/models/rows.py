"""Events as rows for the loss of a network."""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import NDArray

from hepclf.disk import mapped
from hepclf.events import Events
from hepclf.models.preprocess import Prepare
from hepclf.training.table import Rows, Streamed, TensorTable
from hepclf.training.trainer import Trainer

log = logging.getLogger(__name__)


def table(
    events: Events, weights: NDArray[np.float64], prepare: Prepare, trainer: Trainer, device: torch.device
) -> Rows:
    """Events for the loss: prepared inputs, targets and training weights on the device.

    Features that stay on disk are prepared when they are read.
    """
    spectator = None
    if trainer.decorrelate is not None:
        spectator = torch.tensor(trainer.decorrelate.column(events, weights), device=device)
    labels = torch.tensor(events.labels, device=device)
    targets = labels.float() if len(events.classes) == 2 else labels
    sizes = torch.tensor(weights, dtype=torch.float32, device=device)
    if mapped(events.features) is None:
        return TensorTable(prepare.all(events.select(prepare.names), device), targets, sizes, prepare.inputs, spectator)
    columns = torch.tensor([events.names.index(name) for name in prepare.names], device=device)
    log.info("%s events are too large for memory and are read from disk in each epoch", f"{len(events):,}")
    return Streamed(
        events.features,
        lambda rows: prepare(rows.index_select(1, columns)),
        targets,
        sizes,
        prepare.inputs,
        spectator,
    )
