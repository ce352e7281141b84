"""Sweep: a folder of many runs, its table of jobs, and which jobs still need training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from hepclf.files import is_temporary, read_json, write_csv, write_json, write_text
from hepclf.run import Run
from hepclf.workflow.sweep_row import Row, read_row

TABLE = "sweep.json"
SCHEMA = 1
By = Literal["log_loss", "auc"]
RUNNING = ("running", "finished")


class SweepJob(NamedTuple):
    """One job: its overrides in Hydra's grammar, and its values of the keys that vary."""

    number: int
    words: tuple[str, ...]
    varied: Mapping[str, str]

    @property
    def named(self) -> str:
        """The settings that distinguish it."""
        return " ".join(f"{key}={value}" for key, value in self.varied.items()) or "one job"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The folder of a sweep, which is written once; the state of each job is in its own folder.

    command      the command as typed, without the options about the folder and the processes
    by           the validation number that chooses the best job
    config_dirs  the user's own folders of configurations, as absolute paths
    """

    folder: Path
    jobs: tuple[SweepJob, ...]
    command: tuple[str, ...] = ()
    by: By = "log_loss"
    config_dirs: tuple[str, ...] = ()

    @classmethod
    def open(cls, folder: Path | str) -> Sweep:
        """A stored sweep."""
        path = Path(folder) / TABLE
        try:
            contents = read_json(path)
            jobs = tuple(
                SweepJob(int(row["number"]), _words(row["overrides"]), _texts(row["varied"]))
                for row in contents["jobs"]
            )
            by, command, config_dirs = contents["by"], _words(contents["command"]), _words(contents["config_dirs"])
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{folder} is not a sweep of hepclf: it holds no {TABLE}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); give the command of the sweep and resume=auto") from error
        if by not in get_args(By) or [job.number for job in jobs] != list(range(len(jobs))):
            raise ValueError(f"{path} was changed; give the command of the sweep and resume=auto")
        return cls(folder=Path(folder), jobs=jobs, command=command, by=by, config_dirs=config_dirs)

    def is_same(self, jobs: Sequence[SweepJob], config_dirs: Sequence[str]) -> bool:
        """Whether it has these jobs."""
        return self.jobs == tuple(jobs) and self.config_dirs == tuple(config_dirs)

    def run(self, job: SweepJob) -> Run:
        """The run of a job, in the folder with the job's number."""
        return Run(self.folder / f"{job.number:0{max(3, len(str(len(self.jobs) - 1)))}d}")

    def row(self, job: SweepJob) -> Row:
        """The state of a job."""
        return read_row(self.run(job), job.number, job.varied, self.error_file(job))

    def rows(self) -> list[Row]:
        """The state of each job, from their folders alone."""
        return [self.row(job) for job in self.jobs]

    def open_jobs(self) -> Iterator[SweepJob]:
        """The jobs that are not finished, failed or in use, checked one by one; jobs with the same data are adjacent.

        A failed job is open again after `forget_failures`.
        """
        for job in sorted(self.jobs, key=_data_order(self.jobs)):
            if not self.error_file(job).exists() and self.run(job).status().name not in RUNNING:
                yield job

    def error_file(self, job: SweepJob) -> Path:
        """The file with the error of a failed job; one per job, as several processes write."""
        return self.folder / f"{self.run(job).folder.name}.error.json"

    def record_failure(self, job: SweepJob, line: str) -> None:
        """Note that a job failed, so that it is not trained again before the sweep is started anew."""
        write_json(self.error_file(job), {"error": line})

    def forget_failures(self) -> None:
        """Let failed jobs be trained again."""
        for job in self.jobs:
            if self.error_file(job).exists():  # a disk that cannot be written refuses to remove even what is not there
                self.error_file(job).unlink(missing_ok=True)

    def create(self, multirun: str) -> None:
        """Create the folder with the table of jobs; `multirun` is the YAML of the whole configuration.

        Another process may create the same sweep at the same time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in self.folder.iterdir() if not is_temporary(path.name)}
        if names - {TABLE, "multirun.yaml"}:
            raise FileExistsError(
                f"{self.folder} is not an empty folder; a sweep needs one of its own (resume=auto continues a sweep)"
            )
        # The table comes last: a folder with a table is a complete sweep.
        write_text(self.folder / "multirun.yaml", multirun)
        self.write([])

    def write(self, rows: Sequence[Row]) -> None:
        """Write the table with the state of the jobs, and a sheet of it."""
        outcomes = {row.number: row.to_dict() for row in rows}
        jobs = [
            {
                "number": job.number,
                "overrides": list(job.words),
                "varied": dict(job.varied),
                "folder": self.run(job).folder.name,
                **outcomes.get(job.number, {"status": "waiting"}),
            }
            for job in self.jobs
        ]
        head = {"schema": SCHEMA, "command": self.command, "config_dirs": self.config_dirs, "by": self.by}
        write_json(self.folder / TABLE, {**head, "jobs": jobs}, durable=True)
        if rows:
            varied = list(dict.fromkeys(key for job in self.jobs for key in job.varied))
            write_csv(self.folder / "sweep.csv", [*Row.columns(), *varied], [row.cells(varied) for row in rows])


def newest(folder: Path, jobs: Sequence[SweepJob], config_dirs: Sequence[str]) -> Sweep | None:
    """The newest sweep below a folder that has these jobs."""
    for table in sorted(folder.glob(f"*/{TABLE}"), reverse=True):
        try:
            sweep = Sweep.open(table.parent)
        except (OSError, ValueError):  # damaged, or being removed; a new one starts then
            continue
        if sweep.is_same(jobs, config_dirs):
            return sweep
    return None


def _data_order(jobs: Sequence[SweepJob]) -> Any:
    """A sort key for jobs: those with the same data are adjacent, and among these those with the same split."""
    events: dict[tuple[tuple[str, str], ...], int] = {}
    splits: dict[tuple[tuple[str, str], ...], int] = {}
    for job in jobs:
        events.setdefault(_settings(job, is_split=False), len(events))
        splits.setdefault(_settings(job, is_split=True), len(splits))
    return lambda job: (events[_settings(job, is_split=False)], splits[_settings(job, is_split=True)], job.number)


def _settings(job: SweepJob, *, is_split: bool) -> tuple[tuple[str, str], ...]:
    """The varied settings that determine which events are read, or how they are split."""
    decisive = {
        key: value
        for key, value in job.varied.items()
        if key.partition(".")[0] in ("data", "experiment", "seed", "again")
    }
    return tuple((key, value) for key, value in decisive.items() if key.startswith("data.split") == is_split)


def _words(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(str, values))


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in values.items()}
