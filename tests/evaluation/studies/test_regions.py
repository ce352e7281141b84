"""The decision regions of several classes."""

from __future__ import annotations

import numpy as np
import pytest

from hepclf import Evaluation, Fisher, Job, Mixture, Trainer, evaluated, fit, prepare
from hepclf.data.mixture import Component
from hepclf.evaluation.studies.regions import Regions


def finding(without_studies, centres, grid=41):
    classes = {f"class{i}": (Component(fraction=1.0, mean=mean, width=(1.0, 1.0)),) for i, mean in enumerate(centres)}
    data = Mixture(events=6000, classes=classes, features=("mass", "pt"))
    settings = Evaluation(**without_studies | {"regions": Regions(grid=grid)})
    job = Job.of(data, Fisher(), Trainer(), settings)
    prepared = prepare(job)
    return evaluated(fit(prepared, job), prepared, job).results.studies.get("regions")


def test_equal_gaussians_have_the_regions_of_the_nearest_centre(without_studies):
    centres = np.array([(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)])
    regions = finding(without_studies, [tuple(centre) for centre in centres])
    assert regions.names == ("mass", "pt")
    points = np.stack(np.meshgrid(regions.x, regions.y), axis=2)
    distances = np.linalg.norm(points[:, :, None] - centres, axis=3)
    assert (distances.argmin(axis=2) == regions.decision).mean() > 0.97


def test_two_classes_have_none(without_studies):
    assert finding(without_studies, [(0.0, 0.0), (4.0, 0.0)]) is None


@pytest.mark.parametrize("grid", [1, 5000])
def test_a_grid_has_a_sensible_size(grid):
    with pytest.raises(ValueError, match=r"^grid must be a number of points"):
        Regions(grid=grid)
