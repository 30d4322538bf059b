#!/usr/bin/env bash
# Installs locks into .venv, each only when it differs from the one that was installed last.
set -euo pipefail
cd "$(dirname "$0")/.."

for name in "$@"; do
    lock="requirements/$name.txt"
    installed=".venv/installed-$name.txt"
    if cmp -s "$lock" "$installed"; then continue; fi

    hashes=--require-hashes
    if ! grep -q -- '--hash' "$lock"; then hashes=; fi
    total=$(grep -cE '^[A-Za-z0-9].*==' "$lock")
    echo "Installing the packages of $lock: $total at most, only this once."
    rm -f "$installed"
    # A folder of packages that a host's pip is told of need not hold every one: those lines say nothing.
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off $hashes -r "$lock" \
        2> >(grep --line-buffered -v 'is ignored: it is neither a file nor a directory' >&2) |
        awk -v total="$total" '
            /^(Collecting|Requirement already satisfied:)/ && ++n % 10 == 0 { print "  " n " of about " total " looked at"; fflush() }
            /^Installing collected packages/ { print "  writing them into .venv"; fflush() }'
    cp "$lock" "$installed"
done
