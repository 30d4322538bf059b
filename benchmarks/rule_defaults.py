"""How often each shipped rule fires where nothing happens, and how surely where something does.

    python -m benchmarks.rule_defaults [--people 12]

docs/alerts.md quotes what this prints.
"""

from __future__ import annotations

import argparse
import os

import django


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=12)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotrack.settings")
    django.setup()
    from benchmarks.steady_histories import arrays
    from emotrack.alerts.models import RuleVersion
    from emotrack.alerts.rules.kinds import KINDS, Runs
    from emotrack.alerts.tuning.chance import by_chance_per_week, fires, people

    stories = ("drift", "jump", "relapsing", "burst", "flat")
    told = {plot: people(arrays(plot, range(2000, 2000 + given.people), 52)) for plot in stories}
    print(f"{'':18}{'by chance, a':>14}   alerts per person of a year, and share of people with one")
    print(f"{'rule':18}{'client-year':>14}   " + "".join(f"{plot:>16}" for plot in stories))
    for kind, known in KINDS.items():
        if known.runs is Runs.MONTH:
            continue
        terms = RuleVersion(**known.defaults)
        found = []
        for plot in stories:
            counts = [fires(person, terms, kind)[0] for person in told[plot]]
            found.append(f"{sum(counts) / len(counts):9.1f} {sum(c > 0 for c in counts) / len(counts):6.0%}")
        chance = 52 * by_chance_per_week(terms, kind, 1)
        print(f"{kind:18}{chance:14.2f}   " + "".join(found))


if __name__ == "__main__":
    main()
