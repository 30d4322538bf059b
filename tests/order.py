"""Which tests of a run are worth running, and in which order they end soonest.

Files go to the processes whole (``--dist loadfile``), so that what a file starts is started once; those that
start services and browsers come first, so that no process is left alone with one of them at the end.
"""

from __future__ import annotations

import pytest

LONGEST = ("tests/browser/", "tests/faults/", "tests/journeys/", "tests/emotrack/mood/", "tests/analysis/")


def _place(item: pytest.Item) -> int:
    return next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))


def _uses_the_database(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("django_db") is not None
    return marked or not {"db", "transactional_db"}.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-database", action="store_true", help="Only tests that use the database.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    if config.getoption("--only-database"):
        config.hook.pytest_deselected(items=[item for item in items if not _uses_the_database(item)])
        items[:] = [item for item in items if _uses_the_database(item)]
