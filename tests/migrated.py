"""A database with every table and no row, made once for all the services that a run of the tests starts."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "emotrack.sqlite3"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Puts such a database into the folder of an installation, which it then finds as after a first start."""
    base = tmp_path_factory.getbasetemp()
    model = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "migrated"
    model.mkdir(exist_ok=True)
    with (model / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (model / "done").exists():
            environment = os.environ | {"EMOTRACK_VAR_DIR": str(model)}
            environment.pop("DATABASE_URL", None)
            migrate = [sys.executable, "manage.py", "migrate", "-v0"]
            subprocess.run(migrate, cwd=ROOT, env=environment, check=True, timeout=300)
            (model / "done").touch()

    def put(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model / DATABASE, folder / DATABASE)
        return folder

    return put
