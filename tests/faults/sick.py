"""EmoTrack's command line with a recognizer that falls ill as a file says, and gets well when the file goes.

    python -m tests.faults.sick FILE run …

FILE holds one word: hang, memory, crash, nan or short.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import django
import numpy as np
from django.core.management import execute_from_command_line

from analysis.recognition.acoustic import AcousticRecognizer
from analysis.values import Recognition, Waveform

well_recognize = AcousticRecognizer.recognize


def illness(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def infect(file: Path) -> None:
    """Make every acoustic recognizer of this process suffer from what ``file`` says."""

    def recognize(
        self: AcousticRecognizer, waveforms: Sequence[Waveform], *more: object
    ) -> list[Recognition]:
        while illness(file) == "hang":
            time.sleep(0.1)
        if illness(file) == "memory":
            raise MemoryError
        if illness(file) == "crash":
            raise ZeroDivisionError
        results = well_recognize(self, waveforms, *more)
        if illness(file) == "nan":
            return [replace(r, scores=np.full_like(r.scores, np.nan)) for r in results]
        return results[:-1] if illness(file) == "short" else results

    AcousticRecognizer.recognize = recognize


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotrack.settings")
    django.setup()
    infect(Path(sys.argv[1]))
    execute_from_command_line(["manage.py", *sys.argv[2:]])
