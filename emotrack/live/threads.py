"""Work that would hold up the event loop: each kind in a few threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

Result = TypeVar("Result")

hearing = ThreadPoolExecutor(2, "hearing")
"""Finds speech; never waits for anything."""
keeping = ThreadPoolExecutor(4, "keeping")
"""Reads and writes the database; short."""
reading = ThreadPoolExecutor(8, "awaiting")
"""Waits for readings."""


async def run(pool: ThreadPoolExecutor, work: Callable[..., Result], *args: object) -> Result:
    """What ``work`` gives, done in a thread whose database connections are left as a request leaves them."""
    return await asyncio.get_running_loop().run_in_executor(pool, _with_connection, work, args)


def _with_connection(work: Callable[..., Result], args: tuple) -> Result:
    close_old_connections()
    try:
        return work(*args)
    finally:
        close_old_connections()
