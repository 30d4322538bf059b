"""Runs the product's tests that use a database once more on PostgreSQL: python -m tests.postgres."""

import base64
import os
import subprocess
import sys
import tempfile

import psycopg

POSTGRES = os.environ.get("EMOTRACK_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
CHOICE = ["tests/emotrack", "--only-database"]


def main(options: list[str]) -> int:
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.OperationalError:
        sys.stdout.write("SKIPPED on PostgreSQL: none is here (EMOTRACK_TEST_POSTGRES names one).\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DATABASE_URL": POSTGRES,
            "EMOTRACK_SECRET_KEY": "only for tests",
            "EMOTRACK_MASTER_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "EMOTRACK_VAR_DIR": folder,
            "EMOTRACK_RECOGNIZE_IN_WEB": "1",
        }
        return subprocess.run([sys.executable, "-m", "pytest", *CHOICE, *options], env=environment).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
