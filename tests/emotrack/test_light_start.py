"""The site starts without what only the background work needs."""

import subprocess
import sys

HEAVY = ("sklearn", "torch", "funasr")

START = """
import sys
import django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import emotrack.mood.patterns
print(sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[1:])))
"""


def test_the_site_starts_without_the_heavy_libraries(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", START, *HEAVY],
        env={"DJANGO_SETTINGS_MODULE": "emotrack.settings", "EMOTRACK_VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
