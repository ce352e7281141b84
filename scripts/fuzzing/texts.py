"""Expressions of the language for features and cuts, and YAML files of configurations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from damage import changed, reworded

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
GROUPS = ("model", "data", "trainer", "evaluation")
PLAIN = """
a b x flag `Muon.pt` 0 1 -1 9 1e308 .5 99999999999 + - * / // % ** < <= == != and or not & | ~ ( ) [ ] , [0]
sqrt( log( sum( count( min( max( abs( delta_phi( first( any( where( pi ) ) . := if else lambda : __class__
__import__('os').system('true') open( eval( ''.format( f'{a}' ().__class__ \x00 é 𝕖 # ; @ {a} *a =
"""
WORDS = (*PLAIN.split(), "\n", "")
WHOLE = ("sqrt(a**2 + b**2)", "sum(x[x > 0]) / count(x)", "a > 0 and not flag", "max(x) - min(`Muon.pt`)", "x[0] * 2")
YAMLS = (
    "a: &a [1, 2]\nb: *a\n",
    "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
    "# @package _global_\nhydra: {job: {env_set: {PATH: x}}}\n",
    "_target_: os.system\n",
    "_target_: hepclf.data.mixture.Mixture\nevents: 1000000000000\n",
    "a: " + "[" * 500 + "]" * 500,
    "!!python/object/apply:os.system ['true']\n",
    "a: ${oc.env:HOME}\nb: ${a}${b}\n",
    "defaults: [x, _self_]\n",
)


def expression(rng: Random, _: Path, __: Path) -> Callable[[], None]:
    """An expression of random words, or a intact one with changes, parsed and evaluated."""
    if rng.random() < 0.5:
        text = rng.choice(("", " ")).join(rng.choices(WORDS, k=rng.choice((2, 5, 12, 40, 400))))
    else:
        text = reworded(rng, rng.choice(WHOLE) * rng.choice((1, 1, 1, 300)))
    return partial(_evaluate, text)


def _evaluate(text: str) -> None:
    from hepclf.data.expressions import parse

    lists = np.arange(12.0).reshape(4, 3)
    columns = {"a": np.array([1, -2, np.nan, 0]), "b": np.array([3, 0, 2**62, -7]), "x": lists, "Muon.pt": np.ones(4)}
    columns["flag"] = np.array([True, False, True, True])
    expression = parse(text)
    if set(expression.columns) <= set(columns):
        expression.evaluate(columns, 4)


def stored_yaml(rng: Random, base: Path, folder: Path) -> Callable[[], None]:
    """The configuration of a run, damaged, from which recipes are built."""
    text = (base / "run/config.yaml").read_text()
    path = folder / "config.yaml"
    path.write_bytes(_yaml(rng, text))
    return partial(_read_stored, path)


def _read_stored(path: Path) -> None:
    from hepclf.cli.recipes import read_recipe
    from hepclf.recipe import read_stored

    values = read_stored(path)
    for group in GROUPS:
        read_recipe(values[group], group, (), trusted=False)


def own_yaml(rng: Random, _: Path, folder: Path) -> Callable[[], None]:
    """A file of a user's own folder of configurations, composed as `hepclf train` does."""
    group = rng.choice(GROUPS)
    intact = rng.choice(sorted((CONFIGS / group).glob("*.yaml")))
    path = folder / "lab" / group / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(_yaml(rng, intact.read_text()))
    return partial(_compose, ["--config-dir", str(folder / "lab"), f"{group}=mine"])


def _compose(words: list[str]) -> None:
    from hepclf.cli.config import composed, composing, hydra_words

    with composing("train", words) as hydra:
        composed(hydra.config(hydra_words("train", words)[1])).values  # noqa: B018


def _yaml(rng: Random, text: str) -> bytes:
    import yaml

    choice = rng.random()
    if choice < 0.2:
        return rng.choice((*YAMLS, text + rng.choice(YAMLS))).encode()
    if choice < 0.6:
        return yaml.safe_dump(changed(rng, yaml.safe_load(text)), allow_unicode=True).encode(errors="replace")
    return reworded(rng, text).encode(errors="replace")


KINDS = {"expression": expression, "stored-yaml": stored_yaml, "own-yaml": own_yaml}
