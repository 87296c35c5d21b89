"""A picture as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from textwrap import wrap
from typing import Final, TypeAlias
from unicodedata import combining, east_asian_width

from .axis import Axis
from .marks import ClockChange, Lane, What

Style: TypeAlias = Callable[[What, str], str]

# each kind's sign and its plain one, the most important kind first: it is shown where several share a place
SIGNS: Final[dict[What, tuple[str, str]]] = {
    "failed": ("✗", "x"),
    "timed_out": ("⊘", "t"),
    "lost": ("⊠", "l"),
    "abandoned": ("⊗", "a"),
    "missed": ("△", "m"),
    "skipped_overlap": ("◇", "s"),
    "cancelled": ("⊖", "c"),
    "skipped_paused": ("‖", "p"),
    "in_flight": ("▸", ">"),
    "succeeded": ("●", "*"),
    "planned": ("○", "o"),
}
_SEVERAL, _ACTIVE, _CHANGE, _EMPTY = ("■", "#"), ("─", "-"), ("┊", "!"), ("·", ".")
_FINE: Final = ("succeeded", "planned")
_MOST_NOTES: Final = 4  # on occurrences of a lane

_Track: TypeAlias = list[tuple[What | None, str]]


def draw_text(
    axis: Axis, lanes: Sequence[Lane], changes: Sequence[ClockChange], width: int, plain: bool, style: Style | None
) -> str:
    """Draw lanes in so many columns; `plain` is ASCII alone, and `style` may put colours around signs."""
    counts = [_counts(lane, plain, width // 3) for lane in lanes]
    names = [printable(name, plain) for name in (axis.zone, *(lane.name for lane in lanes))]
    name_width = min(max(map(cells, names)), width // 4)
    plot = width - name_width - max((_length(each) for each in counts), default=0) - 4
    beside, *names = (fit(name, name_width) for name in names)
    ticks = [(_column(axis, tick.at, plot), tick) for tick in axis.ticks(plot // 8)]
    lines = [f"{beside}  {_row(((at, tick.above) for at, tick in ticks), plot)}"]
    lines.append(
        f"{fit(str(axis.shown(axis.start).year), name_width)}  {_row(((at, tick.label) for at, tick in ticks), plot)}"
    )
    ground: _Track = [(None, _EMPTY[plain])] * plot
    set_at = [(_column(axis, change.at, plot), change) for change in changes]
    for at, _ in set_at:
        ground[at] = (None, _CHANGE[plain])
    if changes:
        lines.append(f"{' ' * name_width}  {_row((_beside(*each, plot, _CHANGE[plain]) for each in set_at), plot)}")
    tracks = [_track(axis, lane, ground.copy(), plain) for lane in lanes]
    for name, track, count in zip(names, tracks, counts, strict=True):
        lines.append(f"{name}  {_painted(track, style)}  {_painted(count, style)}")
    used = [(signs[plain], word(what)) for what, signs in SIGNS.items() if any(lane.counts[what] for lane in lanes)]
    if any((what, _SEVERAL[plain]) in track for track in tracks for what in _FINE):
        used.append((_SEVERAL[plain], "several"))
    legend = "  ".join(f"{sign} {said}".replace(" ", "\xa0") for sign, said in reversed(used))
    for said in (legend, *(printable(note, plain) for note in notes(lanes))):
        lines += [line.replace("\xa0", " ") for line in wrap(said, width - cells(said) + len(said))]
    return "\n".join(line.rstrip() for line in lines)


def notes(lanes: Sequence[Lane]) -> Iterator[str]:
    """Yield what a picture says below its lanes."""
    for lane in lanes:
        marked = dict.fromkeys(mark.note for mark in lane.marks if mark.what == "planned" and mark.note)
        for note in (*([lane.note] if lane.note else []), *islice(marked, _MOST_NOTES)):
            yield f"{lane.name}: {note}"


def word(what: What) -> str:
    """Write a kind of mark in words."""
    return what.replace("_", " ")


def cells(text: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def fit(text: str, width: int) -> str:
    """Cut or fill a text to so many columns."""
    if cells(text) > width:
        while cells(text) >= width:
            text = text[:-1]
        text += "~" if text.isascii() else "…"
    return text + " " * (width - cells(text))


def printable(text: str, plain: bool = False) -> str:
    """Replace what is not to be printed or is no XML, such as a line break in a task's name."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown.encode("ascii", "replace").decode() if plain else shown


def _column(axis: Axis, at: datetime, plot: int) -> int:
    return min(plot - 1, int(axis.place(at) * plot))


def _row(labels: Iterable[tuple[int, str]], plot: int) -> str:
    """Put labels at their columns; one that would touch the label before or the end is left out."""
    line = ""
    for at, label in labels:
        if label and at >= len(line) + bool(line) and at + len(label) <= plot:
            line = line.ljust(at) + label
    return line


def _beside(at: int, change: ClockChange, plot: int, sign: str) -> tuple[int, str]:
    """Put a change right of its sign, or left of it near the end."""
    wide = len(str(change)) + 1
    return (at, f"{sign} {change}") if at + wide < plot else (at - wide, f"{change} {sign}")


def _counts(lane: Lane, plain: bool, width: int) -> _Track:
    said = _Track()
    for what, signs in reversed(SIGNS.items()):
        if lane.counts[what]:
            said.append((what, f"{' ' if said else ''}{lane.counts[what]}{signs[plain]}"))
    while _length(said) > width:
        said[-2:] = [(None, " +")]
    return said


def _length(track: _Track) -> int:
    return sum(len(text) for _, text in track)


def _track(axis: Axis, lane: Lane, track: _Track, plain: bool) -> _Track:
    """Put a lane's marks over the ground: of several in a place the most important one is shown."""
    for mark in sorted(lane.marks, key=lambda mark: list(SIGNS).index(mark.what), reverse=True):
        first, last = (_column(axis, at, len(track)) for at in (mark.start_at, mark.end_at))
        for at in range(first, last + 1):
            if mark.count > 1 or at == first:
                shared = track[at][0] in _FINE and track[at][1] != _ACTIVE[plain]
                several = mark.what in _FINE and (mark.count > 1 or shared)
                track[at] = (mark.what, (_SEVERAL if several else SIGNS[mark.what])[plain])
            elif track[at][0] is None:
                track[at] = (mark.what, _ACTIVE[plain])
    return track


def _painted(track: _Track, style: Style | None) -> str:
    pieces = ((what, "".join(text for _, text in group)) for what, group in groupby(track, itemgetter(0)))
    return "".join(text if what is None or style is None else style(what, text) for what, text in pieces)
