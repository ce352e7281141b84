"""The mean loss of a network over a table."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hepclf.training.blocks import Blocks
from hepclf.training.loss import POWER, Loss, losses
from hepclf.training.ranks import ALONE, Ranks
from hepclf.training.table import Rows

ROWS = 1 << 14  # rows that go through a network at once outside training: what its caches hold


def mean_loss(
    network: nn.Module,
    table: Rows,
    loss: Loss,
    blocks: Blocks | None = None,
    ranks: Ranks = ALONE,
    *,
    power: float = POWER,
) -> float:
    """The weighted mean loss, sum(w l) / sum(w), in evaluation mode; each rank computes that of its share."""
    network.eval()
    share = ranks.share(len(table.targets))

    def loss_sum(rows: slice) -> Tensor:
        part = table.part(share.start + rows.start, share.start + rows.stop)
        return (losses(network(part.inputs), part.targets, loss, power) * part.weights).sum(dtype=torch.float64)

    device = table.targets.device
    total = torch.zeros((), dtype=torch.float64, device=device)
    with torch.no_grad(), ranks.together():
        for block_sum in (blocks or Blocks(ROWS)).values(share.stop - share.start, loss_sum, device):
            total += block_sum
    return float(ranks.sum(total) / table.weights.sum(dtype=torch.float64))
