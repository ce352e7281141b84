"""The pictures of the results and their studies, each as PNG and PDF, with its numbers in a folder beside them.

Nothing here imports matplotlib, so that a process whose pictures others draw does not have to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from hepclf.evaluation.evaluation import Evaluation
from hepclf.evaluation.label import Label
from hepclf.evaluation.results import Results
from hepclf.presentation.plots.index import Part, Written, replace_index
from hepclf.presentation.plots.label import one_line
from hepclf.presentation.plots.material import Material
from hepclf.presentation.plots.workers import DrawingWorkers

# Our own studies, each of which the module of its name draws.
STUDIES = tuple(setting.name for setting in fields(Evaluation) if hasattr(setting.default_factory, "study"))
RESULT_PARTS = ("losses", "find_rate", "scores", "roc", "rejection", "confusion", "significance")


class ResultPictures(Material):
    """The pictures of results, which are drawn part by part."""

    @property
    def parts(self) -> list[Part]:
        """The parts in the order of the index; a study of the user's own needs a `draw` to be one."""
        drawn = [name for name in self.results.studies if name in STUDIES or self._draws(name)]
        studies = [Part(name, name, is_own=name not in STUDIES) for name in drawn]
        return [*(Part(name) for name in RESULT_PARTS), *studies]

    def _draws(self, name: str) -> bool:
        return callable(getattr(self.results.study_settings.get(name), "draw", None))

    def draw(self, part: Part) -> Written:
        """Write the pictures of a part."""
        from hepclf.presentation.plots.drawing import draw_part

        return draw_part(part, self)

    def shared(self) -> ResultPictures:
        """These pictures for other processes, which need not know the user's own studies."""
        findings = {name: finding for name, finding in self.results.studies.items() if name in STUDIES}
        settings = {name: study for name, study in self.results.study_settings.items() if name in STUDIES}
        results = replace(self.results, studies=findings, study_settings=settings)
        return replace(self, results=results, folder=self.folder.absolute())


def draw(
    results: Results,
    folder: Path,
    *,
    history: Mapping[str, Sequence[float]] | None = None,
    rates: Mapping[str, Sequence[float]] | None = None,
    title: str = "",
    label: Label | None = None,
    workers: DrawingWorkers | None = None,
) -> list[Path]:
    """Write all pictures for which the results have values, and pictures.json with their captions and studies.

    Pictures of an earlier pictures.json that are no longer drawn are removed. The pictures show the test split where
    there is one, else validation, else training. A label replaces the title. Parts that the workers do not draw are
    drawn here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run_title = one_line(title, 50)
    if label:
        run_title = label.conditions()
    pictures = ResultPictures(
        results=results, folder=folder, history=history, rates=rates, title=run_title, label=label
    )
    shared = [part for part in pictures.parts if not part.is_own]
    drawn = {}
    if workers:
        drawn = workers.drawn(pictures.shared(), shared)
    return replace_index(folder, [drawn.get(part) or pictures.draw(part) for part in pictures.parts])
