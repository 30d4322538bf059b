"""The services of a large installation; tests are skipped, with a message, where they are not."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

POSTGRES = os.environ.get("EMOTRACK_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("EMOTRACK_TEST_REDIS", "redis://127.0.0.1:6379/9")


def redis_url() -> str:
    redis = pytest.importorskip("redis", reason="redis-py is not installed (requirements/scale.txt)")
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.exceptions.RedisError:
        pytest.skip("no Redis here: start one, or set EMOTRACK_TEST_REDIS")
    return REDIS


@contextmanager
def own_database() -> Iterator[str]:
    """The address of a PostgreSQL database that is made for the block and dropped after it."""
    name = f"emotrack_test_{uuid.uuid4().hex[:12]}"
    try:
        connection = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL here: start one, or set EMOTRACK_TEST_POSTGRES")
    with connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
