"""`hepclf fetch [NAME] [to=DIR] [from=URL]`: a public dataset, downloaded and verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hepclf.data.datasets import DATASETS, Dataset
from hepclf.data.fetch import fetch
from hepclf.nearest import nearest
from hepclf.recipe import RecipeError
from hepclf.words import typed_setting

KEYS = ("to", "from")


def run(arguments: list[str]) -> int:
    """Fetch a dataset and print how to train on it; without a name, list the datasets."""
    from hepclf.cli.terminal import Watch, results_console, show_warning_logs

    dataset, settings = _read(arguments)
    show_warning_logs()
    console = results_console()
    if dataset is None:
        for line in _listing():
            console.print(line, soft_wrap=True, markup=False)
        return 0
    watch = Watch()
    try:
        fetched = fetch(dataset, settings.get("to", "."), source=settings.get("from"), tell=watch.transfer)
    finally:
        watch.close()
    state = "already there" if fetched.before else "fetched"
    size = fetched.path.stat().st_size
    for line in (
        f"{fetched.path}  {size:,} bytes, {state}, verified by {fetched.verified}",
        f"licence {dataset.licence}, to be cited as {dataset.reference}",
        f"train on it: hepclf train data={dataset.name} {typed_setting('data.files', fetched.path)}",
    ):
        console.print(line, soft_wrap=True, markup=False)
    return 0


def _read(arguments: Sequence[str]) -> tuple[Dataset | None, dict[str, str]]:
    names = [word for word in arguments if "=" not in word]
    settings = dict(word.split("=", 1) for word in arguments if "=" in word)
    for key, value in settings.items():
        if key not in KEYS:
            raise RecipeError(f"{key} is not a setting of fetch{nearest(key, KEYS)}")
        if not value:
            raise RecipeError(f"{key} must not be empty; say {key}=...")
    if len(names) > 1 or (settings and not names):
        raise RecipeError(f"fetch takes one dataset, as in hepclf fetch susy to=data, not {' '.join(arguments)!r}")
    if names and names[0] not in DATASETS:
        raise RecipeError(f"{names[0]!r} is not a dataset{nearest(names[0], DATASETS)}")
    dataset = DATASETS[names[0]] if names else None
    return dataset, settings


def _listing() -> Iterator[str]:
    width = max(map(len, DATASETS))
    for name, dataset in DATASETS.items():
        check = dataset.checksum.partition(":")[0] or "length, CRC-32 and number of events, as no checksum is known"
        yield f"{name:<{width}}  {dataset.holds}"
        for line in (
            f"{dataset.events:,} events, {dataset.size / 1e6:,.0f} MB, {dataset.licence}, {dataset.reference}",
            f"{dataset.page}",
            f"verified by its {check}",
        ):
            yield f"{'':<{width}}  {line}"
        yield ""
    yield "hepclf fetch NAME [to=DIR] [from=URL]"
