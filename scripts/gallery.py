"""Write docs/evaluation/pictures.md: each picture of a run, how to read it, and where its computation is described.

scripts/gallery.py RUN, with a run that drew all pictures, such as that of `hepclf train`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parent.parent / "docs" / "evaluation"
COLOURS = 128  # enough for lines and bands, in a third of the bytes
# Pages of studies that are not called as the study is, and what computes the plain verdict's pictures.
PAGES = {"counting": "yields.md", "likelihood_ratio": "calibration.md"}
COMPUTED = {
    "losses": "training/trainer.py",
    "scores": "evaluation/judge.py",
    "roc": "evaluation/curves/roc.py",
    "rejection": "evaluation/curves/roc.py",
    "confusion": "evaluation/confusion.py",
    "significance": "evaluation/counting/scan.py",
}


def main(run: Path) -> None:
    pictures = DOCS / "pictures"
    pictures.mkdir(exist_ok=True)
    told = json.loads((run / "plots" / "pictures.json").read_text(encoding="utf-8"))
    lines = [
        "# The pictures of a run",
        "",
        "Those of `hepclf train` with the built-in triggers; `scripts/gallery.py` makes",
    ]
    lines[-1] += (
        " this page. Pictures that are drawn only\nwhen asked for are described with [their study](../evaluation.md)."
    )
    for stem, about in told.items():
        Image.open(run / "plots" / f"{stem}.png").convert("RGB").quantize(COLOURS).save(
            pictures / f"{stem}.png", optimize=True
        )
        study = about["study"]
        page = PAGES.get(study, f"{study}.md")
        computed = f"[{study}]({page})" if study else f"`hepclf/{COMPUTED[stem]}`"
        lines += [
            "",
            f"## {stem}",
            "",
            f"![{stem}](pictures/{stem}.png)",
            "",
            about["caption"],
            "",
            f"Computed by {computed}.",
        ]
    (DOCS / "pictures.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
