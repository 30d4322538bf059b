"""EmoTrack's command line with a trap in it: one named function ends the process as a power cut would.

    python -m tests.faults.trapped MODULE:FUNCTION:before|after FILE run …

The trap is set when FILE appears, so that a start gets through; it is sprung by the first call after that.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

import django
from django.core.management import execute_from_command_line


def set_trap(place: str, armed: Path) -> None:
    """Wrap what ``place`` names, where it is looked up when it is called."""
    module, name, moment = place.split(":")
    owner = import_module(module)
    for part in name.split(".")[:-1]:
        owner = getattr(owner, part)
    attribute = name.rpartition(".")[2]
    original = getattr(owner, attribute)

    @functools.wraps(original)
    def trapped(*args: object, **more: object) -> object:
        if moment == "before" and armed.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **more)
        if moment == "after" and armed.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, attribute, trapped)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotrack.settings")
    django.setup()
    set_trap(sys.argv[1], Path(sys.argv[2]))
    execute_from_command_line(["manage.py", *sys.argv[3:]])
