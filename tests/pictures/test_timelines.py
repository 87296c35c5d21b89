"""Timelines: small ones as they look, the pictures of the docs, and what holds for all."""

from __future__ import annotations

import runpy
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from panther_schedule import BackgroundTask, Cron, Daily, Repeat, Retry, Scheduler, VirtualClock, between
from panther_schedule.pictures import Timeline, timeline
from panther_schedule.pictures.text import cells
from panther_schedule.testing import FailingTask, SlowTask, Suspend, simulate

ROOT = Path(__file__).parents[2]
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

SVG = "{http://www.w3.org/2000/svg}"


def work() -> None: ...


def at_half_past_two(name: str, **fields: Any) -> BackgroundTask[[], None]:
    schedule = Daily(time(2, 30), tz="Europe/Berlin", **fields)
    return BackgroundTask(work).with_schedule(schedule).with_name(name)


def hourly(name: str, **policy: Any) -> BackgroundTask[[], None]:
    return BackgroundTask(work).with_schedule(Repeat(-1, HOUR)).with_policy(**policy).with_name(name)


def lines(picture: Timeline, **options: Any) -> list[str]:
    return picture.text(72, **options).splitlines()


def test_a_gap_takes_no_room_and_moves_no_lane() -> None:
    tasks = [at_half_past_two("next"), at_half_past_two("shift", gap="shift"), at_half_past_two("skip", gap="skip")]
    start = datetime(2026, 3, 29, tzinfo=BERLIN)

    assert lines(timeline(tasks, start, start + 6 * HOUR)) == [
        "Europe/Berlin  Sun 29 Mar",
        "2026           00:00     01:00      03:00     04:00      05:00",
        "                                    ┊ 02:00 -> 03:00",
        "next           ·····················○·······························  1○",
        "shift          ·····················┊····○··························  1○",
        "skip           ·····················┊·······························",
        "○ planned",
        "next: 02:30 does not exist on 29 Mar: moved to 03:00",
        "shift: 02:30 does not exist on 29 Mar: moved to 03:30",
    ]


def test_a_repeated_hour_is_there_twice() -> None:
    tasks = [at_half_past_two("first"), at_half_past_two("last", fold="last"), at_half_past_two("both", fold="both")]
    start = datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN)

    assert lines(timeline(tasks, start, start + 3 * HOUR), ascii=True) == [
        "Europe/Berlin  Sun 25 Oct",
        "2026                 01:00        02:00         02:00        03:00",
        "                                                ! 03:00 -> 02:00",
        "first          ..........................o......!...................  1o",
        "last           .................................!.....o.............  1o",
        "both           ..........................o......!.....o.............  2o",
        "o planned",
        "first: 02:30 happens twice on 25 Oct: the first",
        "last: 02:30 happens twice on 25 Oct: the second",
        "both: 02:30 happens twice on 25 Oct: the first",
        "both: 02:30 happens twice on 25 Oct: the second",
    ]


def test_a_simulation_shows_every_record() -> None:
    faults = [
        SlowTask("skip", 100 * MINUTE),
        SlowTask("queue", 100 * MINUTE),
        Suspend(START + 150 * MINUTE, 2 * HOUR),
        FailingTask("late", OSError, times=1),
    ]
    tasks = [hourly("skip"), hourly("queue", overlap="queue_one"), hourly("late")]

    assert lines(timeline(simulate(tasks, START, START + 8 * HOUR, faults))) == [
        "UTC    Thu 1 Jan",
        "2026   00:00        02:00        04:00        06:00",
        "skip   ●─────◇────··●─────△──────◇───··●──────◇────·▸·····◇  3● 1▸ 4◇ 1△",
        "queue  ●─────────●────────△──────◇──●─────────◇●────▸─────▸  4● 2▸ 2◇ 1△",
        "late   ✗·····●······●·····△·········●··●······●·····●·····●  7● 1△ 1✗",
        "● succeeded  ▸ in flight  ◇ skipped overlap  △ missed  ✗ failed",
    ]


def test_a_pause_is_a_note_and_then_a_range(clock: VirtualClock) -> None:
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_task(hourly("load"))
        clock.advance(2 * HOUR)
        handle.pause("maintenance")
        clock.advance(2 * HOUR)
        paused = lines(timeline([handle], START, START + 8 * HOUR))
        handle.resume()
        clock.advance(HOUR)
        resumed = lines(timeline([handle], START, START + 8 * HOUR))

    assert paused[2:] == [
        "load  ●······●·······●··············································  3●",
        "● succeeded",
        "load: paused: maintenance",
    ]
    assert resumed[2:] == [
        "load  ●······●······●······‖‖‖‖‖‖‖‖······●······○······○·····○  3○ 4● 2‖",
        "○ planned  ● succeeded  ‖ skipped paused",
    ]


def test_a_day_without_a_midnight_begins_later() -> None:
    task = BackgroundTask(work).with_schedule(Daily(time(0), tz="America/Santiago"))
    start = datetime(2026, 9, 4, 12, tzinfo=UTC)

    assert lines(timeline([task], start, start + 4 * DAY)) == [
        "America/Santiago  2026",
        "2026                      5 Sep       6 Sep       7 Sep        8 Sep",
        "                                      ┊ 00:00 -> 01:00",
        "work              ········○···········○···········○············○····  4○",
        "○ planned",
        "work: 00:00 does not exist on 6 Sep: moved to 01:00",
    ]


def test_a_dense_lane_shows_where_it_is_empty() -> None:
    task = BackgroundTask(work).with_schedule(Cron("*/5 9-16 * * mon-fri", tz="Europe/Berlin"))

    assert lines(timeline([task], START, START + 21 * DAY)) == [
        "Europe/Berlin  2026",
        "2026                    5 Jan            12 Jan          19 Jan",
        "work           ■■·■······■■■■·■·■■■■·····■■·■■■■·■·■■·····■■·■·■■  1440○",
        "■ several  ○ planned",
    ]


def test_all_of_time_has_an_axis() -> None:
    ever = timeline([], datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), zone="Asia/Tokyo")

    assert lines(ever) == [
        "Asia/Tokyo",
        "1           2       1431    2859    4288     5717    7146    8575",
    ]


def test_runs_that_end_a_task_leave_nothing_to_come() -> None:
    (lane,) = timeline([BackgroundTask(work).interval(1000).interval_wait(MINUTE)], START, START + 9 * DAY).lanes

    assert lane.counts == {"planned": 1000}
    assert lane.marks[-1].end_at == START + 999 * MINUTE


def test_an_occurrence_is_drawn_where_its_jitter_moves_it() -> None:
    task = hourly("load", jitter=30 * MINUTE)
    (lane,) = timeline([task], START, START + 4 * HOUR).lanes

    assert [mark.scheduled_at for mark in lane.marks] == [START + n * HOUR for n in range(5)]
    assert [mark.start_at for mark in lane.marks] == task.next_runs(5, after=START)


def test_runs_that_wait_are_in_flight() -> None:
    task = hourly("load", overlap="queue_all")
    (lane,) = timeline(simulate([task], START, START + 3 * HOUR, [SlowTask("load", 9 * HOUR)])).lanes

    assert lane.counts == {"in_flight": 4}


def test_what_is_raised_and_tried_again_is_in_the_note() -> None:
    task = hourly("flaky", retry=Retry(3))
    (lane,) = timeline(simulate([task], START, START + MINUTE, [FailingTask("flaky", OSError, times=2)])).lanes

    assert [(mark.what, mark.note) for mark in lane.marks] == [("succeeded", "3 attempts, OSError")]


def test_a_style_paints_signs_by_their_kind() -> None:
    picture = timeline([hourly("load")], START, START + HOUR)
    painted = picture.text(style=lambda what, text: f"<{what} {text.strip()}>")

    assert painted.count("<planned ○>") == 2
    assert "<planned 2○>" in painted


@pytest.mark.parametrize("name", ["day", "gap", "fold", "overlap", "missed"])
def test_the_pictures_of_the_docs_are_current(name: str) -> None:
    made = runpy.run_path(str(ROOT / "examples" / "pictures.py"))[name]()

    assert (ROOT / "docs" / "pictures" / f"{name}.svg").read_text() == made.svg(), "run python examples/pictures.py"


ZONES = ["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]
names = st.one_of(st.sampled_from(["a\nb", "<&>", "日本語の名前", "n" * 90]), st.text(min_size=1).filter(str.strip))
schedules = st.one_of(
    st.sampled_from(["* * * * *", "*/7 9-16 * * mon-fri", "0 0 1 * *", "30 2 * * *"]).flatmap(
        lambda line: st.sampled_from(ZONES).map(lambda zone: Cron(line, tz=zone))
    ),
    st.builds(Repeat, st.sampled_from([-1, 1, 7, 500]), st.timedeltas(MINUTE, 9 * DAY)),
)
starts = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
spans = st.timedeltas(MINUTE, 60 * DAY)
tasks = st.builds(BackgroundTask(work).with_schedule, schedules).flatmap(lambda task: st.builds(task.with_name, names))


@given(schedules, starts, spans)
@example(Cron("* * * * *", tz="UTC"), datetime(1969, 12, 31, 23, 59, tzinfo=UTC), timedelta(minutes=1))  # 1970 is zero
def test_each_occurrence_is_in_one_mark(schedule: Cron | Repeat, start: datetime, span: timedelta) -> None:
    picture = timeline([BackgroundTask(work).with_schedule(schedule)], start, start + span)
    before = start - timedelta(microseconds=1)
    found = between(schedule, before, start + span, anchor=start)[: None if schedule.n == -1 else schedule.n]
    marks = TypeAdapter(Timeline).validate_json(picture.json()).lanes[0].marks

    assert len(marks) <= 241
    for mark in marks:
        within = [at for at in found if mark.start_at <= at <= mark.end_at]
        assert (within[0], within[-1], len(within)) == (mark.start_at, mark.end_at, mark.count)
    assert sum(mark.count for mark in marks) == len(found)


@given(st.lists(tasks, max_size=4), starts, spans, st.sampled_from(ZONES), st.integers(40, 120), st.booleans())
def test_no_line_is_wider_than_asked(
    tasks: list[BackgroundTask], start: datetime, span: timedelta, zone: str, width: int, plain: bool
) -> None:
    text = timeline(tasks, start, start + span, zone=zone).text(width, ascii=plain)

    assert max(map(cells, text.splitlines())) <= width
    assert not plain or text.isascii()


@given(st.lists(tasks, max_size=4), starts, spans, st.sampled_from(ZONES), st.integers(320, 900))
def test_all_of_an_svg_is_inside_its_box(
    tasks: list[BackgroundTask], start: datetime, span: timedelta, zone: str, width: int
) -> None:
    root = ET.fromstring(timeline(tasks, start, start + span, zone=zone).svg(width))  # noqa: S314 - our own
    _, _, wide, high = map(float, root.attrib["viewBox"].split())

    assert root.attrib["role"] == "img"
    assert all(root.findtext(f"{SVG}{tag}") for tag in ("title", "desc"))
    for text in root.iter(f"{SVG}text"):
        length = cells(text.text or "") * 7.25  # DejaVu Sans Mono, the widest of the usual fonts
        left = float(text.attrib["x"]) - (length if text.attrib["text-anchor"] == "end" else 0)
        assert left >= 0
        assert left + length <= wide
        assert 12 <= float(text.attrib["y"]) <= high - 4
