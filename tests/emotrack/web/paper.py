"""Whether this machine can make PDFs."""

from functools import cache


@cache
def pdf_status() -> int:
    """What the door of a PDF answers here: 200, or 503 where Pango is missing."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return 503
    return 200
