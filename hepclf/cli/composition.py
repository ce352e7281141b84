"""Configurations by Hydra's rules: Hydra reads and merges files, and starts nothing."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from hepclf.cli import configs
from hepclf.cli.interpolations import check_interpolations
from hepclf.cli.overrides import overrides
from hepclf.recipe import RecipeError

FLAGS = {"-m", "--multirun"}
MODE = "hydra.mode=MULTIRUN"
PRINTED = {"--cfg", "-c", "--info", "-i", "--hydra-help"}
PRINTING = PRINTED | {"--package", "-p", "--resolve", "-r"}
PLUGINS = ("hydra/launcher", "hydra/sweeper")
PARAMETERS = "hydra.sweeper.params"
READ = ("hydra.searchpath", "hydra.mode", "hydra.verbose", PARAMETERS)  # what may be typed of Hydra's own settings
OWN_LOOP = (
    "hepclf trains the jobs of a sweep itself, jobs=N at a time, as other launchers pickle code and report failed jobs "
    "as completed; on a cluster start hepclf train resume=DIR of one sweep in as many batch jobs as you like"
)


class Expanded(NamedTuple):
    """One job of a sweep: its overrides in Hydra's grammar, and its values of the keys that vary."""

    words: tuple[str, ...]
    varied: dict[str, str]


class Composition:
    """Composes configurations of a command while the block of `composition` lasts.

    Hydra spends most of its time on reading files; jobs that choose the same files share what was read.
    """

    def __init__(self, hydra: Any, command: str, own: Mapping[str, Path]) -> None:
        self._hydra, self._command, self._own = hydra, command, own
        self._chosen: dict[tuple[str, ...], DictConfig] = {}

    def config(self, words: Sequence[str]) -> DictConfig:
        """The configuration of one job, with Hydra's own state at `hydra`."""
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        check_hydra(words)  # words of a stored sweep were not checked when this command was read
        parsed = overrides(words)
        self._hydra.config_loader.validate_sweep_overrides_legal(parsed, RunMode.RUN, from_shell=True)
        choices, settings = _divided(parsed)
        if choices not in self._chosen:
            self._chosen[choices] = self._composed(choices, "RUN")
        config = copy.deepcopy(self._chosen[choices])
        _set(config, parsed, settings)
        check_interpolations(config)
        HydraConfig.instance().set_config(config)  # for ${hydra:...}
        if config.hydra.mode is not None and config.hydra.mode.name == "MULTIRUN":
            raise RecipeError("the configuration sets hydra.mode=MULTIRUN, which asks for a sweep; say -m")
        return config

    def sweep(self, words: Sequence[str]) -> DictConfig:
        """The configuration of a whole sweep; the lists of values are left out."""
        return self._composed(words, "MULTIRUN")

    def check(self, words: Sequence[str]) -> None:
        """Refuse the user's files if they set what is Hydra's own, or are too long once they are resolved."""
        check_interpolations(self._composed(words, "RUN"))

    def jobs(self, words: Sequence[str], parameters: Mapping[str, Any]) -> list[Expanded]:
        """The jobs of a sweep, every combination of the lists; `parameters` are those of `hydra.sweeper.params`.

        A typed word replaces a parameter of the same name, and the last word counts.
        """
        from hydra.core.override_parser.overrides_parser import OverridesParser

        for key in parameters:
            if str(key).lstrip("+~").startswith("hydra"):
                raise RecipeError(f"{PARAMETERS} must name settings of hepclf, not {key}; leave it out")
        parser = OverridesParser.create(config_loader=self._hydra.config_loader)
        typed = [*(_parameter(str(key), value) for key, value in parameters.items()), *words]
        parsed = parser.parse_overrides(typed)
        last = {override.key_or_group: index for index, override in enumerate(parsed)}
        lists = [
            _alternatives(override)
            for index, override in enumerate(parsed)
            if index == last[override.key_or_group] or not override.is_sweep_override()
        ]
        return [
            Expanded(tuple(word for word, _ in row), {key: value for _, varied in row for key, value in varied.items()})
            for row in itertools.product(*lists)
        ]

    def _composed(self, words: Sequence[str], mode: str) -> DictConfig:
        from hydra.errors import MissingConfigException
        from hydra.types import RunMode

        try:
            config: DictConfig = self._hydra.compose_config(self._command, list(words), RunMode[mode])
        except MissingConfigException as error:
            plugin, _, name = str(error.missing_cfg_file).rpartition("/")
            if plugin in PLUGINS:
                raise RecipeError(f"{plugin} must be basic, not {name}; {OWN_LOOP}") from error
            raise
        for plugin in PLUGINS:
            if (name := config.hydra.runtime.choices[plugin]) != "basic":
                raise RecipeError(f"{plugin} must be basic, not {name}; {OWN_LOOP}")
        self._refuse_packages(words, RunMode[mode])
        return config

    def _refuse_packages(self, words: Sequence[str], mode: Any) -> None:
        from hepclf.cli.checked_files import refuse_packages

        if self._own:
            loader = self._hydra.config_loader
            refuse_packages(loader.compute_defaults_list(self._command, list(words), mode).defaults, self._own)


@contextmanager
def composition(command: str, folders: Sequence[Path]) -> Iterator[Composition]:
    """Prepare Hydra for a command in this block; `folders` are the user's own, besides ours."""
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.config_search_path import SearchPathQuery
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    from hepclf.cli.checked_files import checked_files

    before, configured = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    version.setbase("1.3")
    path = create_config_search_path(str(configs.folder()))
    for folder in folders:
        if not folder.is_dir():
            raise RecipeError(f"--config-dir must be a folder, not {folder}")
        path.prepend("command-line", f"file://{folder.resolve()}", anchor=SearchPathQuery(provider="schema"))
    GlobalHydra.instance().clear()
    try:
        with checked_files() as own:
            yield Composition(Hydra.create_main_hydra2("hepclf", path), command, own)
    finally:
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = before, configured


def _divided(parsed: Sequence[Any]) -> tuple[tuple[str, ...], list[Any]]:
    """The words that decide which files Hydra reads, with every word before the last of these, and the settings."""
    places = [place for place, override in enumerate(parsed, start=1) if not _is_choice(override)]
    start = max((place for place in places if not _is_setting(parsed[place - 1])), default=0)
    settings = [override for override in parsed[start:] if _is_setting(override)]
    others = (override for override in parsed[start:] if not _is_setting(override))
    return tuple(override.input_line for override in (*parsed[:start], *others)), settings


def _is_choice(override: Any) -> bool:
    return override.input_line.partition("=")[0] in configs.GROUPS


def _is_setting(override: Any) -> bool:
    return override.is_force_add() and not override.is_hydra_override()


def _set(config: DictConfig, parsed: Sequence[Any], settings: Sequence[Any]) -> None:
    """Put settings into a configuration, and all words into its record, as Hydra does."""
    from hydra._internal.config_loader_impl import get_overrides_dirname

    for override in settings:
        OmegaConf.update(config, override.key_or_group, override.value(), merge=True, force_add=True)
    words = [override for override in parsed if not override.is_hydra_override()]
    config.hydra.overrides.task = [override.input_line for override in words]
    style = config.hydra.job.config.override_dirname
    config.hydra.job.override_dirname = get_overrides_dirname(words, style.exclude_keys, style.item_sep, style.kv_sep)


def is_sweep(arguments: Sequence[str]) -> bool:
    """Whether these words request a sweep."""
    return bool({*FLAGS, MODE} & set(arguments)) and not prints_alone(arguments)


def prints_alone(arguments: Sequence[str]) -> bool:
    """Whether these words only ask Hydra to print configurations or its own help."""
    return any(word.split("=", 1)[0] in PRINTING for word in arguments)


def is_printed(arguments: Sequence[str]) -> bool:
    """Whether these words say what Hydra is to print."""
    return any(word.split("=", 1)[0] in PRINTED for word in arguments)


def check_hydra(arguments: Sequence[str]) -> None:
    """Refuse settings of Hydra itself that hepclf does not follow."""
    for word in arguments:
        key, _, value = word.lstrip("+~").partition("=")
        if key in PLUGINS and value != "basic":
            raise RecipeError(f"{key} must be basic, not {value}; {OWN_LOOP}")
        if key.startswith("hydra.") and not any(key == name or key.startswith(f"{name}.") for name in READ):
            way_out = "leave it out"
            if key.startswith("hydra.sweep."):
                way_out = "say folder=DIR"
            raise RecipeError(f"{key} must not be set, as hepclf makes folders and logs itself; {way_out}")


def parameters(config: DictConfig) -> dict[str, Any]:
    """The entries of `hydra.sweeper.params` in a sweep's configuration."""
    container = OmegaConf.to_container(config, resolve=False)
    if not isinstance(container, dict):
        return {}
    params = container.get("hydra", {}).get("sweeper", {}).get("params") or {}
    return {str(key): value for key, value in params.items()}


def _parameter(key: str, value: Any) -> str:
    """A parameter of a file in the form that a user would type."""
    text = value
    if value is None or isinstance(value, bool):
        text = json.dumps(value)  # null, true, false
    is_setting = key.split("@")[0] not in configs.GROUPS and key[0].isalpha()
    prefix = "++" if is_setting else ""
    return f"{prefix}{key}={text}"


def _alternatives(override: Any) -> list[tuple[str, dict[str, str]]]:
    """The words that an override of a sweep stands for, each with key and value; any other override stays one word."""
    if not override.is_sweep_override():
        return [(override.input_line, {})]
    key = override.key_or_group
    if not override.is_discrete_sweep():
        raise RecipeError(f"{key} must be a list of values in a sweep, as in {key}=1,2,3, not {override.input_line}")
    element = override.get_key_element()
    return [(f"{element}={value}", {key: value}) for value in override.sweep_string_iterator()]
