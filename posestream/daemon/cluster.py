"""Many videos over Dask: on this machine's cores by default, on a cluster by its address.

Jobs are independent and safe to do twice, so a worker that dies costs only the time of the
job at hand: the scheduler gives it to another. Import this module lazily: Dask is an extra.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from posestream.daemon.offline_job import Done, Job, work
from posestream.errors import ConfigError

_MISSING: Final = (
    "Spreading videos over workers needs Dask: pip install 'posestream[cluster]', or leave out "
    "--workers and --scheduler."
)
_CONNECT_S: Final = 10.0
_DEATHS: Final = 5
"""Workers that may die over one job before it counts as the cause."""


def available() -> bool:
    """Whether Dask is installed."""
    return importlib.util.find_spec("distributed") is not None


def spread(jobs: Sequence[Job], workers: int | None, scheduler: str | None) -> Iterator[Done]:
    """Do all jobs, in whatever order they end.

    Raises ConfigError if Dask is missing or the scheduler does not answer.
    """
    dask, distributed = _dask()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS}))
        cluster = scheduler or stack.enter_context(_local(distributed, workers or 1))
        client = stack.enter_context(_client(distributed, cluster))
        futures = {client.submit(work, job, pure=False): job for job in jobs}
        for future in distributed.as_completed(futures):
            yield _result(future, futures[future])


def _dask() -> tuple[Any, Any]:
    """Dask and its scheduler; without types, as they come."""
    try:
        return importlib.import_module("dask"), importlib.import_module("distributed")
    except ImportError:
        raise ConfigError(_MISSING) from None


def _local(distributed: Any, workers: int) -> Any:
    """Processes of this machine, reachable from this machine alone and by our keys alone."""
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
        security=True, dashboard_address=None, memory_limit=0, silence_logs=logging.CRITICAL,
    )  # fmt: skip


def _client(distributed: Any, cluster: Any) -> Any:
    try:
        return distributed.Client(cluster, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The Dask scheduler {cluster} does not answer ({type(error).__name__}): check its "
            "address, such as tcp://host:8786, and that it runs."
        ) from None


def _result(future: Any, job: Job) -> Done:
    try:
        done: Done = future.result()
    except Exception as error:
        sentence = f"{job.source} could not be done by any worker ({type(error).__name__})."
        return Done(job.target, error=sentence, exit_code=1)
    return done
