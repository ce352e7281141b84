"""The lessons on images and series: what symmetry hides from a linear model, and how close a CNN comes to the optimum."""

from __future__ import annotations
