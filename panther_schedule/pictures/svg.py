"""A picture as SVG: it speaks to screen readers, is light or dark as its reader is, and has no font and no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from string import Template
from typing import Final

from ..wording.sentence import DAY_NAMES, clock_time, short_date
from .axis import Axis
from .marks import ClockChange, Lane, Mark, What
from .text import SIGNS, cells, fit, notes, printable, word

_MARGIN: Final = 12
_CELL: Final = 7.3  # the width of a character of 12 pixels in any usual monospaced font
_LINE: Final = 17
_TOP: Final = 3 * _LINE + 6  # where the lanes begin
_ROW: Final = 12  # runs that overlap are in rows of their own
_MOST_ROWS: Final = 6
_LEAST: Final = 8  # the width of a mark that takes no time
_RULES: Final = """
& .bg{fill:$ground}& text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:$ink;
stroke:$ground;stroke-width:4px;paint-order:stroke}
& .name{font-weight:600}& .soft{fill:$soft}& path{stroke:$soft;fill:none}& .grid{stroke:$line}
& .change{stroke:$warn;stroke-width:1.5;stroke-dasharray:4 3}& .cross{stroke:$ground;stroke-width:1.5}
& .mark{fill:$ground;stroke:$soft;stroke-width:1.5}& .planned{stroke:$coming}& .in_flight{fill:$coming;stroke:none}
& .succeeded{fill:$good;stroke:none}& .bad{fill:$bad;stroke:none}
& .missed{stroke:$warn;stroke-dasharray:4 2}& .skipped_overlap,& .skipped_paused{stroke-dasharray:2 2}
"""
_NAMES: Final = ("ground", "ink", "soft", "line", "good", "bad", "warn", "coming")
_LIGHT: Final = ("#fff", "#1f2328", "#59636e", "#d8dee4", "#1a7f37", "#cf222e", "#9a6700", "#0969da")
_DARK: Final = ("#0d1117", "#e6edf3", "#9198a1", "#30363d", "#3fb950", "#f85149", "#d29922", "#4493f8")
_BAD: Final = {"failed", "timed_out", "lost", "abandoned"}


def draw_svg(axis: Axis, lanes: Sequence[Lane], changes: Sequence[ClockChange], width: int) -> str:
    """Draw lanes in so many pixels."""
    plot = width - 2 * _MARGIN
    span = f"{_moment(axis, axis.start)} to {_moment(axis, axis.end)}, {axis.zone}"
    top = _TOP + (_LINE if changes else 0)
    y, body = top + 6.0, [_text(_MARGIN, _LINE + 4, span, plot, "soft")]
    for lane in lanes:
        said = fit(_said(lane), min(len(_said(lane)), int(plot * 0.7 / _CELL)))
        body.append(_text(_MARGIN, y + 14, lane.name, plot - (len(said) + 2) * _CELL, "name"))
        body.append(_text(width - _MARGIN, y + 14, said, plot, "soft", "end"))
        rows, marks = _marks(axis, lane, plot, y + 20)
        body += [f'<path d="M{_MARGIN} {y + 20 + _ROW / 2:g}h{plot}"/>', *marks]
        y += 28 + rows * _ROW
    grid = [*_ticks(axis, plot, top, y), *_changes(axis, changes, plot, y)]
    used: list[What] = [what for what in reversed(SIGNS) if any(lane.counts[what] for lane in lanes)]
    x = float(_MARGIN)
    for what in used:
        if x > _MARGIN and x + 14 + len(word(what)) * _CELL > width - _MARGIN:
            x, y = float(_MARGIN), y + _LINE
        body += [_shape(what, x, x, y + 8), _text(x + 14, y + 12, word(what), plot, "soft")]
        x += 14 + (len(word(what)) + 2) * _CELL
    y += _LINE if used else 0
    for note in notes(lanes):
        body.append(_text(_MARGIN, y + 14, note, plot, "soft"))
        y += _LINE
    size = f"{width} {y + _MARGIN:g}"
    of = ", ".join(lane.name for lane in lanes) if 0 < len(lanes) < 4 else f"{len(lanes)} tasks"
    set_at = (f"{_moment(axis, change.at)}: {change}" for change in changes)
    described = [*(f"{lane.name}: {_said(lane)}" for lane in lanes), *set_at, *notes(lanes)] or ["no tasks"]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" role="img" class="timeline"'
            f' width="{width}" height="{y + _MARGIN:g}" viewBox="0 0 {size}">',
            f"<title>{_xml(f'Timeline of {of}, {span}')}</title>",
            f"<desc>{_xml('. '.join(described))}</desc>",
            f"<style>{_painted(_LIGHT)}",
            f"@media (prefers-color-scheme:dark){{{_painted(_DARK)}}}</style>",
            '<rect class="bg" width="100%" height="100%" rx="6"/>',
            *grid,
            *body,
            "</svg>\n",
        ]
    )


def _painted(colours: tuple[str, ...]) -> str:
    rules = _RULES.replace("\n", "").replace("&", "\n.timeline")  # so that on a page other pictures stay as they are
    return Template(rules).substitute(dict(zip(_NAMES, colours, strict=True)))


def _ticks(axis: Axis, plot: int, top: int, bottom: float) -> Iterator[str]:
    """Yield the lines of the axis and their labels; a label that would touch another, or the end, is left out."""
    ends = [0.0, 0.0]
    for tick in axis.ticks(int(plot // (8 * _CELL))):
        x = _x(axis, tick.at, plot)
        if tick.label:
            yield f'<path class="grid" d="M{x:g} {top}V{bottom:g}"/>'
        for row, label in enumerate((tick.above, tick.label)):
            if label and x >= ends[row] and x + len(label) * _CELL <= plot + 2 * _MARGIN:
                ends[row] = x + (len(label) + 1) * _CELL
                yield _text(x, (row + 2) * _LINE + 4, label, plot, "" if row else "soft")


def _changes(axis: Axis, changes: Sequence[ClockChange], plot: int, bottom: float) -> Iterator[str]:
    end = 0.0
    for change in changes:
        x, wide = _x(axis, change.at, plot), len(str(change)) * _CELL
        yield f'<path class="change" d="M{x:g} {_TOP}V{bottom:g}"/>'
        left = x + 5 if x + 5 + wide <= plot + 2 * _MARGIN else x - 5 - wide
        if left >= end:
            end = left + wide + _CELL
            yield _text(left, _TOP + 12, str(change), plot, "soft")


def _marks(axis: Axis, lane: Lane, plot: int, top: float) -> tuple[int, list[str]]:
    """Draw the marks of a lane; return how many rows they take, too."""
    ends: list[datetime] = []
    drawn: list[str] = []
    for mark in sorted(lane.marks, key=lambda mark: min(mark.scheduled_at, mark.start_at)):
        begin = min(mark.scheduled_at, mark.start_at)
        row = next((row for row, end in enumerate(ends) if end <= begin), len(ends))
        if row == _MOST_ROWS:
            row = ends.index(min(ends))
        ends[row : row + 1] = [mark.end_at]
        y = top + row * _ROW + _ROW / 2
        due, left, right = (_x(axis, at, plot) for at in (mark.scheduled_at, mark.start_at, mark.end_at))
        if mark.count == 1 and left - due >= 1:  # it started late
            drawn.append(f'<path d="M{due:g} {y - 4:g}v8m0-4H{left:g}"/>')
        drawn.append(_shape(mark.what, left, right, y, mark.count, _tip(axis, mark)))
    return len(ends) or 1, drawn


def _shape(what: What, left: float, right: float, y: float, count: int = 1, tip: str = "") -> str:
    """Draw a mark: a point of the plan as a circle, all else as a bar."""
    title, kind = f"<title>{_xml(tip)}</title>" if tip else "", f"mark {'bad' if what in _BAD else what}"
    if what == "planned" and count == 1:
        return f'<circle class="{kind}" cx="{left:g}" cy="{y:g}" r="4">{title}</circle>'
    cross = f'<path class="cross" d="M{left + 2:g} {y - 2:g}l4 4m0-4l-4 4"/>' if what in _BAD else ""
    width = max(_LEAST, right - left)
    return f'<rect class="{kind}" x="{left:g}" y="{y - 4:g}" width="{width:g}" height="8" rx="2">{title}</rect>{cross}'


def _x(axis: Axis, at: datetime, plot: int) -> float:
    return round(_MARGIN + axis.place(at) * plot, 1)


def _text(x: float, y: float, said: str, room: float, kind: str, anchor: str = "start") -> str:
    """Write one line, cut where it takes more pixels than there is room."""
    said = printable(said)
    said = fit(said, min(cells(said), int(room / _CELL)))
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{_xml(said)}</text>'


def _said(lane: Lane) -> str:
    return ", ".join(f"{lane.counts[what]:,} {word(what)}" for what in reversed(SIGNS) if lane.counts[what]) or "none"


def _tip(axis: Axis, mark: Mark) -> str:
    of = word(mark.what) if mark.count == 1 else f"{mark.count:,} {word(mark.what)}"
    said = f"{_moment(axis, mark.scheduled_at)} {of}"
    if (mark.start_at, mark.end_at) != (mark.scheduled_at, mark.scheduled_at):
        said += f", {_moment(axis, mark.start_at)} to {_moment(axis, mark.end_at)}"
    return f"{said}: {mark.note}" if mark.note else said


def _moment(axis: Axis, at: datetime) -> str:
    shown = axis.shown(at)
    return f"{DAY_NAMES[shown.weekday()][:3]} {short_date(shown)} {shown.year} {clock_time(shown)}"


def _xml(text: str) -> str:
    return escape(printable(text), quote=False)
