"""The whole site in a thread of the tests, served as in production."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn


@pytest.fixture
def site(settings) -> Iterator[int]:
    """Port of the whole site, served as in production."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    config = uvicorn.Config("emotrack.asgi:application", port=0, log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)
