"""Events as rows for the loss of a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hepclf.disk import mapped, spilled
from hepclf.events import Events
from hepclf.models.preprocess import Prepare
from hepclf.training.residency import place
from hepclf.training.table import RUN, Rows, Streamed, TensorTable
from hepclf.training.trainer import Trainer


def table(
    events: Events, weights: NDArray[np.float64], prepare: Prepare, trainer: Trainer, device: torch.device
) -> Rows:
    """Events for the loss: prepared inputs, targets and training weights on the device.

    Features that do not live on the device are prepared when they are read.
    """
    spectator = None
    if trainer.decorrelate is not None:
        spectator = torch.tensor(trainer.decorrelate.column(events, weights), device=device)
    labels = torch.tensor(events.labels, device=device)
    targets = labels.float() if len(events.classes) == 2 else labels
    sizes = torch.tensor(weights, dtype=torch.float32, device=device)
    is_on_disk = mapped(events.features) is not None
    size = 4 * len(events) * len(prepare.inputs)
    home = place(trainer.residency, size, device, is_on_disk=is_on_disk)
    if home == "device":
        return TensorTable(prepare.all(events.select(prepare.names), device), targets, sizes, prepare.inputs, spectator)
    columns = torch.tensor([events.names.index(name) for name in prepare.names], device=device)
    features, run = np.asarray(events.features), 1
    if home == "disk":
        features, run = (events.features if is_on_disk else spilled(events.features)), RUN
    return Streamed(
        features,
        lambda rows: prepare(rows.index_select(1, columns)),
        targets,
        sizes,
        prepare.inputs,
        spectator,
        run,
    )
