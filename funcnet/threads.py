"""Tasks at the same time, in threads of one process.

NumPy lets go of Python's lock while it computes, so that threads compute at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from .errors import MissingExtraError

R = TypeVar("R")


def split_evenly(n: int, parts: int) -> list[slice]:
    """``n`` examples in so many slices, or as many as there are examples, in order."""
    count = min(parts, n)
    return [slice(i * n // count, (i + 1) * n // count) for i in range(count)]


def blas_for(owner: str) -> Any:
    """threadpoolctl's controller of the libraries that compute NumPy's products."""
    try:
        control = import_module("threadpoolctl")
    except ImportError:
        raise MissingExtraError(
            f"{owner} needs threadpoolctl; install the extra: pip install 'funcnet[parallel]'"
        ) from None
    return control.ThreadpoolController().select(user_api="blas")


def at_once(tasks: Sequence[Callable[[], R]], blas: Any) -> list[R]:
    """What each task gives, of two or more, while BLAS keeps to one thread for each of them."""
    # Some libraries keep the number for the process, and some for each thread of it.
    limited = [partial(_on_one_thread, blas, task) for task in tasks]
    return _on_one_thread(blas, partial(_in_threads, limited))


def _in_threads(tasks: Sequence[Callable[[], R]]) -> list[R]:
    """What each task gives: the first runs here, the others in threads made for them."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(tasks) - 1) as threads:
        # In the caller's context, of which np.errstate is part.
        others = [threads.submit(copy_context().run, task) for task in tasks[1:]]
        return [tasks[0](), *[other.result() for other in others]]


def _on_one_thread(blas: Any, task: Callable[[], R]) -> R:
    """What ``task`` gives, run with BLAS on one thread.

    Where it has one already it is left alone. So a call that began while another one ran does not
    give BLAS back, when it ends, the one thread that the other had left it.
    """
    several = any(library["num_threads"] != 1 for library in blas.info())
    with blas.limit(limits=1) if several else nullcontext():
        return task()
