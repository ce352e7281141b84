"""What cuts on the score of a run do to its background's shape, as its own evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hepclf.statistics.shapes.divergence import Divergence
from hepclf.statistics.value import Value

Sculpted = Mapping[str, Mapping[float, Divergence]]


def sculpted(metrics: Mapping[str, Any]) -> Sculpted:
    """Divergences by spectator and target signal efficiency, from metrics.json; nothing where none was asked for."""
    found = (metrics.get("studies") or {}).get("sculpting") or {}
    return {
        name: {float(point["target"]): _divergence(point) for point in shape["working_points"]}
        for name, shape in found.items()
    }


def _divergence(point: Mapping[str, Any]) -> Divergence:
    return Divergence(
        bits=Value(**point["jsd_bits"]),
        bias=point["bias_subtracted"],
        inverse=Value(**point["inverse_jsd"]),
        at_least=point["inverse_jsd_at_least"],
        reason=point["reason"],
    )


def plain(of: Sculpted) -> dict[str, list[dict[str, Any]]]:
    """The same, ready for JSON."""
    return {
        name: [
            {
                "target": target,
                "jsd_bits": apart.bits.to_dict(),
                "inverse_jsd": apart.inverse.to_dict(),
                "inverse_jsd_at_least": apart.at_least,
                "reason": apart.reason,
            }
            for target, apart in points.items()
        ]
        for name, points in of.items()
    }
