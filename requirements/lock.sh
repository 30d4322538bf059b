#!/usr/bin/env bash
# Rewrites the locks from the .in files, keeping every version that still fits; --upgrade renews them all.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    "${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links \
        "requirements/$1.in" --output-file "requirements/$1.txt" "${@:2}"
}

lock light "$@"
lock scale "$@"
lock test "$@"
lock emotion2vec --override requirements/torch-goes-first.txt "$@"
