"""Lets a library be imported and used without changing the process for everybody else."""

from __future__ import annotations

import logging
import os
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import numpy as np

_log = logging.getLogger(__name__)


@contextmanager
def left_as_found(package: str) -> Iterator[None]:
    """Undo on exit what ``package`` does to the process while it is imported or loads something.

    Kept as they were: environment variables, warning filters, the handlers and the level of the root
    logger, the seeds of ``random`` and numpy. What the package logs through the root logger is dropped,
    and what anybody prints meanwhile goes to this module's logger. Other threads should not start up
    at the same time: all of this belongs to the process.
    """
    with (
        _environment(),
        _seeds(),
        _root_logger(package),
        _prints_logged(package),
        warnings.catch_warnings(),
    ):
        yield


@contextmanager
def _environment() -> Iterator[None]:
    found = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(found):
            del os.environ[name]
        os.environ.update(found)


@contextmanager
def _seeds() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def _root_logger(package: str) -> Iterator[None]:
    def from_others(record: logging.LogRecord) -> bool:
        return f"{os.sep}{package}{os.sep}" not in record.pathname

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    # logging.basicConfig, and logging.info which calls it, add nothing where any handler stands.
    root.addHandler(logging.NullHandler())
    root.addFilter(from_others)
    try:
        yield
    finally:
        root.removeFilter(from_others)
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def _prints_logged(package: str) -> Iterator[None]:
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        if text := printed.getvalue().strip():
            _log.debug("%s printed: %s", package, text)
