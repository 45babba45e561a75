#
# SPDX-License-Identifier: GPL-3.0-or-later
#
"""Where the work is done: in this process, or by workers of dask.distributed."""

import concurrent.futures
import contextlib
import logging
import signal
import sys
import tempfile
from multiprocessing import resource_tracker

PATIENCE = 10  # seconds without a result, then it is said if nobody works
TRIES = 4  # of a piece of work whose workers die
SCHEDULER_LOGS = (
    "distributed.scheduler.transition-log-length",
    "distributed.scheduler.events-log-length",
)


class WorkError(Exception):
    """A piece of work that fails, wherever it is tried; its key is None if none could be."""

    def __init__(self, key, text):
        super().__init__(text)
        self.key = key


class NotInstalled(WorkError):
    """dask.distributed is missing."""


class Here:
    """One piece after the other."""

    capacity = 1

    def __init__(self):
        self._waiting = []

    def submit(self, key, function, arguments):
        self._waiting.append((key, function, arguments))

    def __len__(self):
        return len(self._waiting)

    def finished(self):
        """[(key, result)] of what is ready; waits for one at least."""
        key, function, arguments = self._waiting.pop(0)
        try:
            return [(key, function(**arguments))]
        except Exception as error:
            raise WorkError(key, str(error)) from error

    def close(self):
        pass


@contextlib.contextmanager
def interrupt_later():
    """Control-C is for this process, after the block; those that are started in it, and by threads that
    are, never see it."""
    resource_tracker.ensure_running()  # it would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def connected():
    """A scheduler that is lost is a sentence; it cancels what was submitted."""
    try:
        yield
    except (OSError, concurrent.futures.CancelledError) as error:
        text = "the connection to the scheduler is lost; the same command goes on from here"
        raise WorkError(None, text) from error


class Cluster:
    """Workers of a scheduler of dask.distributed: its address, or so many processes of this machine,
    reachable from it alone."""

    def __init__(self, address=None, workers=None):
        try:
            import dask
            import distributed
        except ImportError as error:
            raise NotInstalled(
                None, f"several processes need python3-distributed ({error})"
            ) from error

        # what it remembers of finished work
        dask.config.set(dict.fromkeys(SCHEDULER_LOGS, 1000))
        self._distributed = distributed
        self._local = None
        self._folder = tempfile.TemporaryDirectory(prefix="reservoir-")
        if address is None:
            with interrupt_later():
                self._local = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    worker_dashboard_address="127.0.0.1:0",
                    local_directory=self._folder.name,
                    silence_logs=logging.CRITICAL,
                )
        try:
            self._client = distributed.Client(self._local or address, timeout=20)
        except (
            OSError,
            ValueError,
            TypeError,
        ) as error:  # TypeError: TLS is not set up
            raise WorkError(
                None, f"no scheduler answers at {address}: {error}"
            ) from error
        self._pending, self._tries = {}, {}

    @property
    def capacity(self):
        """Pieces of work that keep all workers busy."""
        with connected():
            workers = self._client.scheduler_info()["workers"].values()
        return 2 * max(sum(worker["nthreads"] for worker in workers), 1)

    @property
    def dashboard(self):
        return self._client.dashboard_link

    def submit(self, key, function, arguments):
        with connected():
            future = self._client.submit(function, **arguments, pure=False)
        self._pending[future] = key, function, arguments

    def __len__(self):
        return len(self._pending)

    def finished(self):
        with connected():
            return [found for future in self._wait() for found in self._take(future)]

    def _wait(self):
        while True:
            try:
                pending = list(self._pending)
                return self._distributed.wait(pending, PATIENCE, "FIRST_COMPLETED").done
            except (self._distributed.TimeoutError, TimeoutError):
                if not self._client.scheduler_info()["workers"]:
                    print("The scheduler has no workers: waiting.", file=sys.stderr)

    def _take(self, future):
        key, function, arguments = self._pending.pop(future)
        try:
            return [(key, future.result())]
        except self._distributed.KilledWorker as error:
            self._tries[key] = self._tries.get(key, 1) + 1
            if self._tries[key] > TRIES:
                raise WorkError(key, "every worker that tries it dies") from error
            self.submit(key, function, arguments)
            return []
        except concurrent.futures.CancelledError:
            raise  # with the connection
        except Exception as error:
            raise WorkError(key, str(error)) from error

    def close(self):
        if self._client.status == "running":
            with contextlib.suppress(OSError):  # it is lost meanwhile
                self._client.cancel(list(self._pending))
        self._client.close()
        if self._local:
            self._local.close()
        self._folder.cleanup()
