"""The marks on a session's timeline that are no curves: bands, blocks, threshold lines, letters, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emotrack.web.timeline import Episode, Timeline, Turn, blocks_of, runs_of

LETTER_PX = 14.0
"""A run of one label this wide on screen carries its letters."""

WORD_PX = 6.2
"""Typical width of a letter at 11 px."""

Axes = Mapping[str, str]


def shapes(timeline: Timeline, axes: Axes) -> list[dict]:
    """Bands under all, blocks without a reading, threshold lines, and the bars of the alerts lane."""
    return [
        *_usual_band(timeline, axes),
        *_blocks(timeline, axes),
        *_lines(timeline, axes),
        *_other_recognizers(timeline),
        *(shape for episode in timeline.episodes for shape in _episode(episode, axes["alerts"])),
    ]


def annotations(timeline: Timeline, axes: Axes, px_per_s: float) -> list[dict]:
    """Words and letters on the lanes; what would not fit at this scale is left to the hover and the table."""
    return [
        *_block_words(timeline, axes, px_per_s),
        *_notes(timeline, axes),
        *_recognizer_names(timeline),
        *_apart(timeline, axes),
        *_hidden(timeline, axes),
        *_letters(timeline, axes, px_per_s),
        *_line_words(timeline, axes),
        *_episode_words(timeline, axes, px_per_s),
    ]


def _across(axis: str, low: float, high: float, **fields: object) -> dict:
    """A shape over the whole width at heights of ``axis``."""
    return {"xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": low, "y1": high, **fields}


def _usual_band(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    if timeline.usual:
        band = {"type": "rect", "fillcolor": "$band", "line": {"width": 0}, "layer": "below"}
        yield _across(axes["mood"], *timeline.usual, **band)
    dots = {"type": "line", "line": {"color": "$edge", "width": 1, "dash": "1px,3px"}, "layer": "below"}
    yield _across(axes["mood"], 0, 0, **dots)


def _other_recognizers(timeline: Timeline) -> Iterable[dict]:
    for mark in timeline.recognizers:
        yield {
            "type": "line", "xref": "x", "x0": mark.at_s, "x1": mark.at_s, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": "$text", "width": 1},
        }  # fmt: skip


def _recognizer_names(timeline: Timeline) -> Iterable[dict]:
    for mark in timeline.recognizers:
        yield {
            "xref": "x", "x": mark.at_s, "xanchor": "left", "xshift": 3, "text": mark.sign,
            "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False,
            "font": {"size": 11, "color": "$muted"},
        }  # fmt: skip


def _notes(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    """Numbers in a box; a click on one opens the note."""
    for note in timeline.notes:
        yield {
            "name": f"note:{note.id}", "captureevents": True, "xref": "x", "x": note.at_s, "text": note.sign,
            "yref": f"{axes['mood']} domain", "y": 1, "yanchor": "top", "showarrow": False,
            "bgcolor": "$accent-soft", "bordercolor": "$accent", "borderwidth": 1, "borderpad": 2,
            "font": {"size": 11, "color": "$accent", "weight": 600},
        }  # fmt: skip


def _apart(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    for said in timeline.said if "tone" in axes else ():
        if said.apart:
            yield {
                "xref": "x", "x": said.middle_s, "text": "◆", "showarrow": False,
                "yref": f"{axes['tone']} domain", "y": 1, "yanchor": "bottom",
                "font": {"size": 10, "color": "$warning"},
            }  # fmt: skip


def _hidden(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    if timeline.hidden:
        yield {
            "xref": "paper", "x": 0.5, "yref": f"{axes['mood']} domain", "y": 0.5, "showarrow": False,
            "text": timeline.words.hidden, "font": {"size": 12, "color": "$muted"}, "bgcolor": "$surface",
        }  # fmt: skip


def _blocks(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    for start, end, _reason in blocks_of(timeline.turns):
        for lane in [lane for lane in ("mood", "ribbon", "tone", "volatility") if lane in axes]:
            yield {
                "type": "rect",
                "xref": "x",
                "x0": start,
                "x1": end,
                "yref": f"{axes[lane]} domain",
                "y0": 0,
                "y1": 1,
                "fillcolor": "$sunken",
                "line": {"width": 0},
                "layer": "below",
            }


def _lines(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    if not timeline.has_z:
        return
    if timeline.threshold is not None:
        line = {"color": "$critical", "width": 1.25, "dash": "6px,3px"}
        yield _across(axes["volatility"], timeline.threshold, timeline.threshold, type="line", line=line)
    if timeline.recovery is not None:
        line = {"color": "$edge", "width": 1, "dash": "2px,3px"}
        yield _across(axes["volatility"], timeline.recovery, timeline.recovery, type="line", line=line)


def _line_words(timeline: Timeline, axes: Axes) -> Iterable[dict]:
    if not timeline.has_z:
        return
    place = {"xref": "paper", "x": 0.004, "xanchor": "left", "yref": axes["volatility"], "showarrow": False}
    if timeline.threshold is not None:
        font = {"size": 11, "color": "$critical"}
        text = timeline.words.alert_above
        yield {
            **place,
            "y": timeline.threshold,
            "yanchor": "bottom",
            "text": text,
            "font": font,
            "bgcolor": "$surface/.75",
        }
    if timeline.recovery is not None:
        font = {"size": 11, "color": "$muted"}
        text = timeline.words.ends_below
        yield {
            **place,
            "y": timeline.recovery,
            "yanchor": "top",
            "text": text,
            "font": font,
            "bgcolor": "$surface/.75",
        }


def _block_words(timeline: Timeline, axes: Axes, px_per_s: float) -> Iterable[dict]:
    for start, end, reason in blocks_of(timeline.turns):
        longest = max(len(timeline.words.no_reading), len(reason))
        if (end - start) * px_per_s >= longest * WORD_PX:
            yield {
                "xref": "x",
                "x": (start + end) / 2,
                "yref": f"{axes['mood']} domain",
                "y": 0.02,
                "yanchor": "bottom",
                "text": f"{timeline.words.no_reading}<br>{reason}",
                "font": {"size": 11, "color": "$muted"},
                "showarrow": False,
            }


def _letters(timeline: Timeline, axes: Axes, px_per_s: float) -> Iterable[dict]:
    last = float("-inf")
    for run in _same_label(timeline.turns):
        middle = (run[0].at_s + run[-1].end_s) / 2
        wide = (run[-1].end_s - run[0].at_s) * px_per_s >= LETTER_PX
        if wide and (middle - last) * px_per_s >= 1.6 * LETTER_PX:
            last = middle
            yield {
                "xref": "x",
                "x": middle,
                "yref": axes["ribbon"],
                "y": 1.16,
                "text": run[0].code,
                "font": {"size": 10.5, "color": "$text", "weight": 600},
                "showarrow": False,
            }


def _same_label(turns: Sequence[Turn]) -> Iterable[list[Turn]]:
    for joined in runs_of([t for t in turns if t.shares is not None or not t.read]):
        run: list[Turn] = []
        for turn in joined:
            if run and run[-1].label != turn.label:
                yield run
                run = []
            run.append(turn)
        yield run


def _episode(episode: Episode, axis: str) -> Iterable[dict]:
    """Dotted while pending, solid while firing, outlined while recovering."""
    color = f"${episode.severity}"
    start = episode.ended_s if episode.fired_s is None else episode.fired_s
    yield {
        "type": "line", "xref": "x", "x0": episode.pending_s, "x1": start, "yref": axis, "y0": 0.5, "y1": 0.5,
        "line": {"color": color, "width": 1.5, "dash": "2px,2px"},
    }  # fmt: skip
    if episode.fired_s is None:
        return
    solid_until = episode.ended_s if episode.recovering_s is None else episode.recovering_s
    box = {"type": "rect", "xref": "x", "yref": axis, "y0": 0.2, "y1": 0.8}
    yield {**box, "x0": episode.fired_s, "x1": solid_until, "fillcolor": color, "line": {"width": 0}}
    if solid_until < episode.ended_s:
        outline = {"fillcolor": f"{color}/.25", "line": {"color": color, "width": 1}}
        yield {**box, "x0": solid_until, "x1": episode.ended_s, **outline}


def _episode_words(timeline: Timeline, axes: Axes, px_per_s: float) -> Iterable[dict]:
    free_from = float("-inf")
    begins = [episode.pending_s for episode in timeline.episodes]
    for episode, free_until in zip(timeline.episodes, [*begins[1:], timeline.duration_s], strict=False):
        width = len(episode.words) * WORD_PX / px_per_s
        left = episode.pending_s - width - 8 / px_per_s
        if left > max(free_from, 0.0):
            anchor, x = "right", episode.pending_s - 6 / px_per_s
        elif episode.ended_s + width < free_until:
            anchor, x = "left", episode.ended_s + 6 / px_per_s
        else:
            free_from = episode.ended_s
            continue
        free_from = episode.ended_s + (width if anchor == "left" else 0.0)
        yield {
            "name": f"alert:{episode.id}", "captureevents": True,
            "xref": "x", "x": x, "xanchor": anchor, "yref": axes["alerts"], "y": 0.5, "text": episode.words,
            "font": {"size": 11, "color": "$text"}, "showarrow": False,
        }  # fmt: skip
