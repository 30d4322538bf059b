"""How often one key may ask: so many requests in a minute of the clock, counted in this process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from emotrack.accounts.models import App

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """Where a caller stands: requests left in this window, and seconds until the next one."""

    quota: int
    left: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"per-key";q={self.quota};w={WINDOW_S}',
            "RateLimit": f'"per-key";r={max(0, self.left)};t={self.reset_s}',
        }


class Windows:
    """Counts requests per caller; every count ends with the minute. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0
        self._counts: Counter[str] = Counter()

    def count(self, caller: str, quota: int) -> Rate:
        """Count one more; ``left`` is below zero when it was one too many."""
        now = self._clock()
        window = int(now // WINDOW_S)
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, Counter()
            self._counts[caller] += 1
            used = self._counts[caller]
        return Rate(quota, quota - used, WINDOW_S - int(now % WINDOW_S))

    def forget(self) -> None:
        with self._lock:
            self._counts.clear()


windows = Windows()


class PerKeyThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        self.rate = windows.count(_caller(request), settings.RATE_PER_MINUTE)
        request.rate = self.rate
        return self.rate.left >= 0

    def wait(self) -> float:
        return float(self.rate.reset_s)


def _caller(request: Request) -> str:
    if isinstance(request.user, App):
        return f"key:{request.auth.pk}"
    if request.user is not None:
        return f"user:{request.user.pk}"
    return f"address:{request.META.get('REMOTE_ADDR', '')}"
