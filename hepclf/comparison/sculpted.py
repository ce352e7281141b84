"""The sculpting of the background by cuts on the score of a run, from the results of its own evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hepclf.statistics.shapes.divergence import Divergence
from hepclf.statistics.value import Value

Sculpted = Mapping[str, Mapping[float, Divergence]]


def sculpted(metrics: Mapping[str, Any]) -> Sculpted:
    """Divergences by spectator and target signal efficiency, from metrics.json; empty without that study."""
    shapes = (metrics.get("studies") or {}).get("sculpting") or {}
    return {
        name: {float(point["target"]): _divergence(point) for point in shape["working_points"]}
        for name, shape in shapes.items()
    }


def _divergence(point: Mapping[str, Any]) -> Divergence:
    return Divergence(
        bits=Value(**point["jsd_bits"]),
        bias=point["bias_subtracted"],
        inverse=Value(**point["inverse_jsd"]),
        at_least=point["inverse_jsd_at_least"],
        reason=point["reason"],
    )


def sculpting_dict(sculpting: Sculpted) -> dict[str, list[dict[str, Any]]]:
    """The divergences, ready for JSON."""
    return {
        name: [
            {
                "target": target,
                "jsd_bits": divergence.bits.to_dict(),
                "inverse_jsd": divergence.inverse.to_dict(),
                "inverse_jsd_at_least": divergence.at_least,
                "reason": divergence.reason,
            }
            for target, divergence in points.items()
        ]
        for name, points in sculpting.items()
    }
