"""A report as PDF, by WeasyPrint; it needs the Pango library, and a font that has the language's letters."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

STYLES = Path(__file__).resolve().parents[2] / "static" / "css"


class NoPdf(Exception):
    """This machine cannot make it. ``missing``: ``pango`` or ``font``."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing


def pdf_of(page: str, language: str) -> bytes:
    """The PDF of an HTML page; nothing is fetched for it but our own style sheets. Raises ``NoPdf``."""
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except OSError as error:  # the library that it calls is not on this machine
        raise NoPdf("pango") from error
    if language.startswith("zh") and not has_chinese_font():
        raise NoPdf("font")
    nothing = URLFetcher(allowed_protocols=["data"])
    styles = [weasyprint.CSS(filename=STYLES / name) for name in ("tokens.css", "report.css")]
    return weasyprint.HTML(string=page, url_fetcher=nothing).write_pdf(stylesheets=styles)


@cache
def has_chinese_font() -> bool:
    """As fontconfig says; where its tool is missing nobody can tell, and the PDF is made."""
    tool = shutil.which("fc-list")
    if tool is None:
        return True
    listed = subprocess.run([tool, ":lang=zh-cn"], capture_output=True, check=False, timeout=20)  # noqa: S603
    return bool(listed.stdout.strip())
