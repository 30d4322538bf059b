"""Collects the words that pages show and keeps their translations: python -m tests.messages.

Writes what is new into emotrack/locale/…/django.po (untranslated), drops what is gone, and compiles the .mo
beside it. Needs no gettext tools.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import django
from babel.messages import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template import Engine, TemplateSyntaxError
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation

ROOT = Path(__file__).resolve().parents[1]
PO = ROOT / "emotrack" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
HEADER = """# Simplified Chinese. Write translations here, then: python -m tests.messages
msgid ""
msgstr ""
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

PLAIN, PLURAL, CONTEXT = None, (1, 2), ((1, "c"), 2)
FUNCTIONS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), PLAIN),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), PLURAL),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), CONTEXT),
}
Message = tuple[str | tuple[str, str], str | None]
"""A message or its singular and plural, and its context."""


def in_python() -> Iterator[Message]:
    for path in sorted((ROOT / "emotrack").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for _line, function, found, _comments in extract_python(
            BytesIO(path.read_bytes()), list(FUNCTIONS), [], {"encoding": "utf-8"}
        ):
            strings = found if isinstance(found, tuple) else (found,)
            if FUNCTIONS[function] is PLURAL:
                yield (strings[0], strings[1]), None
            elif FUNCTIONS[function] is CONTEXT:
                yield strings[1], strings[0]
            elif strings[0]:
                yield strings[0], None
        yield from _in_f_strings(path)


def _in_f_strings(path: Path) -> Iterator[Message]:
    """What Babel passes over: before Python 3.12 an f-string is one token, with calls in it."""
    for string in ast.walk(ast.parse(path.read_text("utf-8"))):
        for call in ast.walk(string) if isinstance(string, ast.JoinedStr) else ():
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in FUNCTIONS:
                continue
            words = [word.value for word in call.args if isinstance(word, ast.Constant)]
            kind = FUNCTIONS[call.func.id]
            if kind is PLURAL:
                yield (words[0], words[1]), None
            else:
                yield (words[1], words[0]) if kind is CONTEXT else (words[0], None)


def in_templates() -> Iterator[Message]:
    engine = Engine.get_default()
    for path in sorted((ROOT / "templates").rglob("*")):
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        try:
            nodes = engine.from_string(text).nodelist
        except TemplateSyntaxError as error:
            raise SystemExit(f"{path}: {error}") from error
        for node in nodes.get_nodes_by_type(TranslateNode):
            if isinstance(node.filter_expression.var.literal, str):
                yield node.filter_expression.var.literal.replace("%", "%%"), None  # as Django asks for it
        for node in nodes.get_nodes_by_type(BlockTranslateNode):
            one, _variables = node.render_token_list(node.singular)
            if node.plural:
                yield (one, node.render_token_list(node.plural)[0]), None
            else:
                yield one, None
        for found in re.findall(r"""_\((?:"([^"]+)"|'([^']+)')\)""", text):
            yield found[0] or found[1], None


def in_data() -> Iterator[Message]:
    """What pages show in the reader's language though it stands in data: notes on measures, figures."""
    from analysis.measures import MEASURES
    from analysis.recognition.acoustic.recognizer import AcousticRecognizer
    from analysis.recognition.emotion2vec import ACCURACY
    from analysis.recognition.words import WordRecognizer
    from analysis.synthetic import synthetic_card
    from emotrack.web.help import TITLES, help_on

    for one in MEASURES.values():
        yield from ((said, None) for said in (one.label, one.meaning, one.unit))
    for topic in TITLES:
        with translation.override("en"):
            found = help_on(topic)
        yield from ((said, None) for said in (found.title, found.sentence, found.minimum, found.limits))
    recognizers = AcousticRecognizer(), WordRecognizer()
    for said in (*(one.card.accuracy for one in recognizers), ACCURACY, synthetic_card().accuracy):
        yield said, None


def collected() -> Catalog:
    """Every message that a page may show, without translations."""
    catalog = Catalog(fuzzy=False)
    for message, context in sorted(
        {m for m in (*in_python(), *in_templates(), *in_data()) if m[0]},
        key=lambda m: (str(m[0]), m[1] or ""),
    ):
        flags = ["python-format"] if "%(" in str(message) else []
        catalog.add(message, context=context, flags=flags)
    return catalog


def translated() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans", domain="django")


def compiled(catalog: Catalog) -> bytes:
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same bytes again
    into = BytesIO()
    write_mo(into, catalog)
    return into.getvalue()


def main() -> int:
    kept = translated()
    kept.update(collected(), no_fuzzy_matching=True)
    kept.obsolete.clear()
    into = BytesIO()
    write_po(into, kept, width=110, sort_output=True, omit_header=True)
    PO.write_text(HEADER + into.getvalue().decode(), encoding="utf-8")
    MO.write_bytes(compiled(kept))
    missing = [message.id for message in kept if message.id and not all(texts(message.string))]
    sys.stdout.write(f"{len(kept)} messages, {len(missing)} without a translation\n")
    return 0


def texts(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (string or "",) if string is None or isinstance(string, str) else tuple(string)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotrack.settings")
    django.setup()
    raise SystemExit(main())
