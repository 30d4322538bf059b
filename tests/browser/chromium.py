"""Where the browser is; tests that need it are skipped, with a message, where there is none."""

from __future__ import annotations

import os
import shutil

import pytest


def chromium_path() -> str:
    """Debian's Chromium, or the one that ``CHROMIUM`` names."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium here: install it, or set CHROMIUM")
    return found
