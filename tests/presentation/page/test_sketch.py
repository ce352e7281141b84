from __future__ import annotations

import numpy as np

from hepclf.presentation.page.sketch import DECADES, HEIGHT, sketch


def test_the_sketch_rises_with_the_logarithm_of_the_scores(results_of):
    results = results_of()
    drawing = sketch(results, results.test)
    assert [outline.signal for outline in drawing.outlines] == [False, True]
    density = results.test.histograms["signal"].density
    heights = [float(step.partition("V")[2]) for step in drawing.outlines[1].edge.split()[1:-1]]
    top = max(float(histogram.density.max()) for histogram in results.test.histograms.values())
    shown = 10 ** ((1 - np.array(heights) / HEIGHT) / 0.95 * DECADES - DECADES)
    np.testing.assert_allclose(shown[density > 0], density[density > 0] / top, rtol=0.01)
