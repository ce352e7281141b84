"""Batch normalisation, which needs whole batches, of several events."""

from __future__ import annotations

from torch import nn

from hepclf.training.ranks import group


def check_batch_norm(module: nn.Module, batch: int) -> None:
    """Refuse batches of one event, and of several ranks, for a module with batch normalisation."""
    if not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in module.modules()):
        return
    if batch == 1:
        raise ValueError(
            "trainer.batch must be at least 2 with batch normalisation, not 1; use model.norm=layer or a larger batch"
        )
    if group().size > 1:
        raise ValueError(
            f"trainer.devices must be 1 with batch normalisation, which needs whole batches, not {group().size}; "
            "use model.norm=layer or trainer.devices=1"
        )
