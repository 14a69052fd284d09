"""Trains recorded runs again, wholly or in their first epochs, several at a time."""

import contextlib
import functools
import itertools
import math
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, wait
from multiprocessing.managers import SyncManager
from queue import Queue
from threading import Event
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from mlp import data, fast, processes, train
from mlp.data import Splits
from mlp.functions import Array
from mlp.lab import experiment
from mlp.lab.experiment import Experiment
from mlp.model import Params
from mlp.processes import LostError
from mlp.train import DivergedError, Record, State


class Job(NamedTuple):
    """A run to be trained again, its first epochs, each of which took so many seconds."""

    of: Experiment
    seed: int
    epochs: int
    seconds: float


class Again(NamedTuple):
    """What a job gave; with fewer records than epochs where the run ended before."""

    records: list[Record]
    first_losses: list[float]
    net: Params | None  # of the epoch chosen among these, if there was one
    predictions: Array  # its classes of the test examples


Tick = Callable[[float], object]  # called with the recorded seconds of what was done since


def run(job: Job, tick: Tick = lambda seconds: None) -> Again:
    """Train the first epochs of a run, with one BLAS thread; if it diverges, the epochs before."""
    splits = _splits(job.of.data, job.of.valid, job.of.standardize, job.of.refit)
    settings = job.of.run_settings(job.seed)
    seconds = job.seconds / math.ceil(len(splits.train.y) / settings.K)
    first_losses: list[float] = []
    records: list[Record] = []
    state: State | None = None
    with threadpool_limits(1), contextlib.suppress(DivergedError):
        first_losses = experiment.first_losses(splits, settings)
        epochs = train.fit(splits, settings, None, lambda n: tick(n * seconds), fast.Steps)
        for record, reached in itertools.islice(epochs, job.epochs):
            records.append(record)
            state = reached
    if state is None:
        return Again(records, first_losses, None, np.empty(0, int))
    oa = train.outputs(state.best, splits.test.X, settings.mirrored)
    return Again(records, first_losses, state.best, oa.argmax(axis=0))


@functools.lru_cache(maxsize=2)  # as they are, and standardized
def _splits(name: str, valid: int, standardize: bool, refit: bool) -> Splits:
    splits = data.load(name, valid=valid, seed=0)
    return experiment.prepared(splits, standardize=standardize, refit=refit)


def run_all(jobs: Sequence[Job], at_once: int) -> list[Again]:
    """Run the jobs, so many at a time, with a progress bar in recorded seconds.

    One at a time they run in this process, several in processes of their own.
    """
    total = sum(job.epochs * job.seconds for job in jobs)
    shape = "{l_bar}{bar}| {n:.0f} of {total:.0f} recorded seconds [{elapsed}<{remaining}]"
    with tqdm(total=total, bar_format=shape, mininterval=0.5) as bar:

        def tick(seconds: float) -> None:
            bar.update(min(seconds, total - bar.n))  # not beyond the end, by rounding

        if at_once == 1:
            return [run(job, tick) for job in jobs]
        return _in_processes(jobs, at_once, tick)


# --- in processes --------------------------------------------------------------------------------


def _in_processes(jobs: Sequence[Job], at_once: int, tick: Tick) -> list[Again]:
    """Run the jobs in processes; the longest first, so that none is left over at the end."""
    context = multiprocessing.get_context("spawn")
    order = sorted(range(len(jobs)), key=lambda i: -jobs[i].epochs * jobs[i].seconds)
    manager = SyncManager(ctx=context)
    following = processes.follow, (os.getpid(),)
    manager.start(*following)
    with manager, ProcessPoolExecutor(at_once, context, *following) as pool:
        done, stop = manager.Queue(), manager.Event()
        futures = {i: pool.submit(_run_there, jobs[i], done, stop) for i in order}
        try:
            _watch(set(futures.values()), done, tick)
        except BrokenExecutor as error:
            raise LostError(
                "a process ended before its run, as where memory runs out; run fewer --jobs"
            ) from error
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
        return [futures[i].result() for i in range(len(jobs))]


def _watch(waiting: set[Future[Again]], done: Queue[float], tick: Tick) -> None:
    """Tell what the processes have done, until they are ready or one has failed."""
    while waiting:
        ready, waiting = wait(waiting, timeout=0.5)
        while not done.empty():
            tick(done.get())
        for future in ready:
            future.result()


class _StoppedError(Exception):
    """The process that asked for the jobs wants no more of them."""


def _run_there(job: Job, done: Queue[float], stop: Event) -> Again:
    """Run a job in a process of the pool."""

    def tick(seconds: float) -> None:
        if stop.is_set():
            raise _StoppedError
        done.put(seconds)

    return run(job, tick)
