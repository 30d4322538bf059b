"""How the test's database is emptied after a test that committed.

Django's own way truncates on PostgreSQL, which writes a file anew for each table and waits for whoever still
reads, and then looks for new models, which no test makes. Rows are deleted instead; what the migrations know
of models stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management.commands import flush
from django.db import connections

KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def _deletions(_style: object, connection, **_options: object) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [f"DELETE FROM {connection.ops.quote_name(table)};" for table in tables if table not in KEPT]


def _dropped(creation, name: str, _verbosity: int) -> None:
    """Also while a thread that a test left behind still holds a connection."""
    with creation._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {creation.connection.ops.quote_name(name)} WITH (FORCE)")


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_deletion() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", _deletions)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_args, **_options: None)
        # A connection that outlives its work would only pile up.
        patch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
        if connections["default"].vendor == "postgresql":
            patch.setattr(type(connections["default"].creation), "_destroy_test_db", _dropped)
        yield
