"""Exits 0 when the web process in this container answers that it is ready, 1 otherwise."""

import os
import sys
import urllib.error
import urllib.request

URL = "http://127.0.0.1:8000/readyz"


def allowed_host() -> str:
    """A name that the site answers to: it refuses others, its own address included."""
    names = os.environ.get("EMOTRACK_ALLOWED_HOSTS", "127.0.0.1").split(",")
    return names[0].strip().lstrip(".").replace("*", "localhost")


def main() -> int:
    request = urllib.request.Request(URL, headers={"Host": allowed_host(), "X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310 - a fixed address of our own
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, TimeoutError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
