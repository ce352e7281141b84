"""The trials of a study in Optuna's journal: new trials, their results, and the repair from their folders."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import JournalStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from hepclf.files import temporary_path
from hepclf.lock import FolderInUseError, acquire
from hepclf.search.folder import StudyFolder
from hepclf.search.journal import Journal, JournalReplacedError, begins_otherwise
from hepclf.search.sampling import Fixed, distribution, internal, pruner, sampler, sampler_seed, suggested
from hepclf.search.space import Space
from hepclf.search.trial import Trial

NAME = "hepclf"  # of the study in its journal
FOLDER = "folder"  # the attribute that names a trial's folder
STORED = "completed_rung_"  # begins the attributes of successive halving
STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
WAIT_S = 0.1

log = logging.getLogger(__name__)


class Ledger:
    """One worker's access to the engine. The folders of the trials decide: results missing in the journal are added."""

    def __init__(self, folder: StudyFolder, worker: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._folder, self._worker = folder, worker
        self._open()

    def _open(self) -> None:
        """Open the journal. If it is absent, unreadable or incomplete, one worker repairs it first."""
        while not self._is_opened():
            try:
                lock = acquire(self._folder.path)
            except FolderInUseError:  # another worker repairs it
                time.sleep(WAIT_S)
                continue
            try:
                if not self._is_opened():
                    self._repair()
            finally:
                lock.release()

    def _is_opened(self) -> bool:
        """Open the journal; False where it must be repaired."""
        try:
            self._journal, self._study = _opened(self._folder)
            return not self._untold()
        except (_UnreadableError, JournalReplacedError):
            return False

    def _repair(self) -> None:
        """Add the results that the journal lacks, or rebuild a journal that cannot be read."""
        try:
            self._journal, self._study = _opened(self._folder)
        except _UnreadableError as error:
            log.warning("the journal of the search %s; it is made again from the folders of the trials", error)
            _rebuild(self._folder)
            return
        for trial in self._untold():
            self._settle(trial)

    def _untold(self) -> list[Trial]:
        """The trials with a result that the journal does not have."""
        rows = self._rows()
        return [trial for trial in self._folder.trials() if trial.is_final and not _tells(rows, trial)]

    def _rows(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def ask(self, number: int, values: Mapping[str, Any] | None) -> Request:
        """A new trial for the folder of this number, with these values or with those that the sampler chooses.

        A trial that is still running for this folder is marked as failed: we have the folder, so its worker is lost.
        """
        if self._journal.is_replaced:
            self._open()
        self._fail(number)
        if values is None:
            seed = sampler_seed(self._folder.seed, number, self._worker)
            self._study.sampler = sampler(self._folder.tuning, seed)
        else:
            self._study.sampler = Fixed(_internal(self._folder.space, values))
        row = self._study.ask()
        row.set_user_attr(FOLDER, self._folder.trial(number).name)
        return Request(row, suggested(row, self._folder.space, values))

    def tell(self, trial: Trial) -> None:
        """Tell a result, to the new journal if the old one was removed or rebuilt meanwhile."""
        try:
            self._settle(trial)
        except JournalReplacedError:
            self._open()  # which finds the result in the trial's folder

    def stored(self, number: int) -> dict[str, Any]:
        """The attributes that the pruning stores with a trial."""
        if self._journal.is_replaced:
            return {}
        rows = [row for row in self._rows() if _number(row) == number]
        if not rows:
            return {}
        return {name: value for name, value in rows[-1].system_attrs.items() if name.startswith(STORED)}

    def close(self) -> None:
        """Mark trials that are still running as failed; every trial has its result in its folder."""
        if not self._journal.is_replaced:
            self._fail(None)

    def _fail(self, number: int | None) -> None:
        """Mark the running trials of a folder as failed; None: those of all folders."""
        for row in self._rows():
            if row.state == TrialState.RUNNING and number in (None, _number(row)):
                self._finish(row, TrialState.FAIL)

    def _settle(self, trial: Trial) -> None:
        """Finish the running trial of a folder with this result, or add one where there is none."""
        running = [row for row in self._rows() if row.state == TrialState.RUNNING and _number(row) == trial.number]
        for row in running[:-1]:
            self._finish(row, TrialState.FAIL)
        if running:
            self._finish(running[-1], STATES[trial.state], trial.objectives or None)
        elif not _tells(self._rows(), trial):  # which another worker may have told
            self._study.add_trial(_row(trial, self._folder))

    def _finish(self, row: FrozenTrial, state: TrialState, objectives: tuple[float, ...] | None = None) -> None:
        with suppress(UpdateFinishedTrialError):  # another worker told it meanwhile
            self._study.tell(row.number, objectives, state=state, skip_if_finished=True)


class Request:
    """A trial from the engine with its values."""

    def __init__(self, row: optuna.Trial, values: Mapping[str, Any]) -> None:
        self._row, self.values = row, values

    def is_poor(self, place: int, value: float) -> bool:
        """Report the loss at a place of the training; the answer is whether the trial should be stopped."""
        try:
            self._row.report(value, place)
            return self._row.should_prune()
        except JournalReplacedError as error:
            log.warning("%s; this trial is not stopped early", error)
            return False


class _UnreadableError(Exception):
    """A journal that must be rebuilt."""


def _opened(folder: StudyFolder) -> tuple[Journal, optuna.Study]:
    """The journal and the study in it; a new one where no trial has a result yet."""
    if not folder.journal.exists() and any(trial.is_final for trial in folder.trials()):
        raise _UnreadableError("is absent")
    if folder.journal.exists() and begins_otherwise(folder.journal):
        raise _UnreadableError("is no journal")
    try:
        return _study(folder, folder.journal)
    except OSError:
        raise
    except Exception as error:  # a damaged journal may fail anywhere in its replay
        raise _UnreadableError(f"cannot be read ({type(error).__name__})") from error


def _study(folder: StudyFolder, path: Any) -> tuple[Journal, optuna.Study]:
    journal = Journal(path)
    storage = JournalStorage(journal)
    try:
        study = optuna.load_study(study_name=NAME, storage=storage, pruner=pruner(folder.tuning))
    except KeyError:
        kinds = (StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE)
        directions = [kinds[is_maximised] for is_maximised in folder.tuning.maximised]
        study = optuna.create_study(
            study_name=NAME,
            storage=storage,
            pruner=pruner(folder.tuning),
            directions=directions,
            load_if_exists=True,  # another worker may come first
        )
    return journal, study


def _rebuild(folder: StudyFolder) -> None:
    """Rebuild the journal from the folders of the trials; an unreadable journal is renamed."""
    if folder.journal.exists():
        folder.journal.replace(folder.journal.with_name(f"{folder.journal.name}.damaged"))
    temporary = temporary_path(folder.journal)
    _, study = _study(folder, temporary)
    for trial in folder.trials():
        if trial.is_final:
            study.add_trial(_row(trial, folder))
    temporary.replace(folder.journal)


def _row(trial: Trial, folder: StudyFolder) -> FrozenTrial:
    """The trial in Optuna's form."""
    present = [parameter for parameter in folder.space.parameters if parameter.name in trial.values]
    values = list(trial.objectives)
    if not values and trial.last is not None:
        values = [trial.last]
    return create_trial(
        state=STATES[trial.state],
        values=values or None,
        params=_internal(folder.space, trial.values),
        distributions={parameter.name: distribution(parameter) for parameter in present},
        user_attrs={FOLDER: folder.trial(trial.number).name},
        system_attrs=dict(trial.stored),
        intermediate_values=dict(trial.reported),
    )


def _tells(rows: Sequence[FrozenTrial], trial: Trial) -> bool:
    """Whether a row has the result of a trial; for a failed trial, a row of a lost worker counts too."""
    states = {row.state for row in rows if _number(row) == trial.number}
    return STATES[trial.state] in states


def _internal(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    present = [parameter for parameter in space.parameters if parameter.name in values]
    return {parameter.name: internal(parameter, values[parameter.name]) for parameter in present}


def _number(row: FrozenTrial) -> int | None:
    """The number of the folder that belongs to a trial of Optuna."""
    name = row.user_attrs.get(FOLDER)
    if not isinstance(name, str) or not name.isdecimal():
        return None
    return int(name)
