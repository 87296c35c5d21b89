"""A file of the first schema, as the first version left it: it never changes, and each later version opens it.

It is written by SQL alone, and nothing of the package is imported. The machine was shut down while it was in use.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

AT = 1_767_225_600
"""The beginning of 2026, in seconds since 1970."""
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA application_id = 0x50534348;
PRAGMA user_version = 1;
CREATE TABLE process (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: the fence
  boot TEXT NOT NULL, space TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,  -- by the machine's time since boot
  listens INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE task (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL, named INTEGER NOT NULL, source TEXT,
  func TEXT NOT NULL, spec TEXT NOT NULL, zone TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1,
  era INTEGER NOT NULL DEFAULT 0,  -- grows with each fresh start, after which instants may come again
  due_at INTEGER,
  anchor INTEGER NOT NULL, cursor INTEGER, next_at INTEGER,
  handed INTEGER NOT NULL, running INTEGER NOT NULL, latest INTEGER, held TEXT,
  ended INTEGER NOT NULL DEFAULT 0, freed INTEGER NOT NULL DEFAULT 0,
  records INTEGER NOT NULL DEFAULT 0, gone TEXT
) STRICT;
CREATE UNIQUE INDEX task_name ON task (name) WHERE freed = 0;
CREATE INDEX task_due ON task (func, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX task_live ON task (id) WHERE ended = 0;
CREATE INDEX task_left ON task (id) WHERE ended = 1 AND (named = 0 OR freed = 1);
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task INTEGER NOT NULL REFERENCES task (id), era INTEGER NOT NULL,
  cause TEXT NOT NULL, at INTEGER NOT NULL, previous INTEGER, number INTEGER NOT NULL,
  attempts TEXT NOT NULL, phase TEXT NOT NULL, asked INTEGER NOT NULL,
  wake_at INTEGER, owner INTEGER REFERENCES process (id), taken_at INTEGER,
  seq INTEGER, outcome TEXT, finished_at INTEGER
) STRICT;
CREATE UNIQUE INDEX run_claim ON run (task, era, at) WHERE cause = 'schedule';
CREATE UNIQUE INDEX run_record ON run (task, seq);
CREATE INDEX run_wake ON run (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX run_owner ON run (owner) WHERE owner IS NOT NULL;
CREATE TABLE passed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task INTEGER NOT NULL REFERENCES task (id), era INTEGER NOT NULL,
  reason TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX passed_record ON passed (task, seq);
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  process INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE total (what TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT;
"""
ROWS = """
INSERT INTO process VALUES (3, 'the one before', 'pid:[4026531836]', 4321, 99, 123456789, 1);
INSERT INTO event VALUES (1, 3, 'TaskAdded', '["grid"]', @0);
INSERT INTO total VALUES ('succeeded', 41);

INSERT INTO task VALUES (1, 'grid', 1, NULL, 'work',
  '{"func":"work","kwargs":{"number":3},"schedule":{"kind":"repeat","n":-1,"wait":"PT10S"},"name":"grid"}', 'UTC', 1, 0,
  @70, @0, @60, @70, 4, 1, @60, NULL, 0, 0, 4, NULL);
INSERT INTO run VALUES (1, 1, 0, 'schedule', @0, NULL, 0, '[[@0, @1, "succeeded", null]]', 'ended', 0, NULL,
  NULL, @0, 1, 'succeeded', @1);
INSERT INTO run VALUES (2, 1, 0, 'schedule', @10, @0, 0, '[[@10, @11, "failed",
  [["ValueError", "Exception", "BaseException"], "a failure", "Traceback..."]]]', 'ended', 0, NULL, NULL, @10, 2,
  'failed', @11);
INSERT INTO passed VALUES (1, 1, 0, 'missed', @20, @40, 3, 3);
INSERT INTO run VALUES (3, 1, 0, 'schedule', @50, @10, 0, '[[@50, @50, "lost", null], [@51, @52, "succeeded", null]]',
  'ended', 0, NULL, NULL, @51, 4, 'succeeded', @52);
INSERT INTO run VALUES (4, 1, 0, 'schedule', @60, @50, 0, '[]', 'active', 0, NULL, 3, @60, NULL, NULL, NULL);
INSERT INTO run VALUES (5, 1, 0, 'manual', @61, @60, 5, '[]', 'resting', 0, 0, NULL, NULL, NULL, NULL, NULL);

INSERT INTO task VALUES (2, 'queue', 1, 'app', 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat","n":-1,
  "wait":"PT10S"},"policy":{"overlap":"queue_all","retry":{"attempts":3,"delay":"PT30S"}},"name":"queue"}', 'UTC', 2, 0,
  @70, @0, @60, @70, 1, 1, @0, '{"waiting": [@10, @20, @30, @40, @50, @60]}', 0, 0, 0, NULL);
INSERT INTO run VALUES (6, 2, 0, 'schedule', @0, NULL, 0, '[[@0, @55, "failed", [["OSError"], "", ""]]]', 'resting', 0,
  @85, NULL, @0, NULL, NULL, NULL);

INSERT INTO task VALUES (3, 'paused', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat","n":-1,
  "wait":"PT10S"},"name":"paused"}', 'Europe/Berlin', 1, 0,
  NULL, @0, @10, @20, 1, 0, @0, '{"paused": "a reason"}', 0, 0, 2, NULL);
INSERT INTO run VALUES (7, 3, 0, 'schedule', @0, NULL, 0, '[[null, @9, "cancelled", null]]', 'ended', 0, NULL, NULL,
  NULL, 1, 'cancelled', @9);
INSERT INTO passed VALUES (2, 3, 0, 'skipped_overlap', @10, @10, 1, 2);

INSERT INTO task VALUES (4, 'ended', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat","n":1,
  "wait":"PT10S"},"name":"ended"}', 'UTC', 1, 0, NULL, @0, @0, NULL, 1, 0, @0, NULL, 1, 0, 1, NULL);
INSERT INTO run VALUES (8, 4, 0, 'schedule', @0, NULL, 0, '[[@0, @5, "timed_out", [["TimeoutError"], "", ""]]]',
  'ended', 0, NULL, NULL, @0, 1, 'timed_out', @5);

INSERT INTO task VALUES (5, 'cancelled', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat",
  "n":-1,"wait":"PT10S"},"name":"cancelled"}', 'UTC', 1, 0,
  NULL, @0, NULL, NULL, 0, 0, NULL, '{"stopped": "cancelled"}', 1, 1, 0, NULL);

INSERT INTO task VALUES (6, 'work-000006', 0, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat",
  "n":1,"wait":"PT0S"}}', 'UTC', 1, 0, NULL, @0, @0, NULL, 1, 0, @0, NULL, 1, 0, 1, NULL);
INSERT INTO run VALUES (9, 6, 0, 'schedule', @0, NULL, 0, '[[@0, @1, "succeeded", null]]', 'ended', 0, NULL, NULL, @0,
  1, 'succeeded', @1);

INSERT INTO task VALUES (7, 'set-back', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat","n":-1,
  "wait":"PT10S"},"name":"set-back"}', 'UTC', 1, 1, @70, @50, @60, @70, 2, 0, @60, NULL, 0, 0, 2, NULL);
INSERT INTO run VALUES (10, 7, 0, 'schedule', @200000, NULL, 0, '[[@200000, @200001, "succeeded", null]]', 'ended', 0,
  NULL, NULL, @200000, 1, 'succeeded', @200001);
INSERT INTO run VALUES (11, 7, 1, 'schedule', @60, NULL, 0, '[[@60, @61, "succeeded", null]]', 'ended', 0, NULL, NULL,
  @60, 2, 'succeeded', @61);

INSERT INTO task VALUES (8, 'back-to-back', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat",
  "n":4,"wait":"PT0S"},"policy":{"on_lost":"record"},"name":"back-to-back"}', 'UTC', 1, 0,
  NULL, @0, @60, NULL, 2, 1, @60, '{"failures": 1}', 0, 0, 1, NULL);
INSERT INTO run VALUES (12, 8, 0, 'schedule', @0, NULL, 0, '[[@0, @59, "failed", [["OSError"], "", ""]]]', 'ended', 0,
  NULL, NULL, @0, 1, 'failed', @59);
INSERT INTO run VALUES (13, 8, 0, 'schedule', @60, @0, 0, '[]', 'active', 0, NULL, 3, @60, NULL, NULL, NULL);

INSERT INTO task VALUES (9, 'filled-again', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat",
  "n":1,"wait":"PT10S"},"name":"filled-again"}', 'UTC', 1, 0,
  NULL, @0, @0, NULL, 1, 0, @0, '{"backfilling": 2}', 1, 0, 1, NULL);
INSERT INTO run VALUES (14, 9, 0, 'schedule', @0, NULL, 0, '[[@0, @1, "succeeded", null]]', 'ended', 0, NULL, NULL, @0,
  1, 'succeeded', @1);
INSERT INTO run VALUES (15, 9, 0, 'backfill', @0, NULL, 15, '[]', 'active', 0, NULL, 3, @60, NULL, NULL, NULL);
INSERT INTO run VALUES (16, 9, 0, 'backfill', @10, @0, 16, '[]', 'queued', 0, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO task VALUES (10, 'timed-out', 1, NULL, 'work', '{"func":"work","kwargs":{},"schedule":{"kind":"repeat",
  "n":-1,"wait":"PT10S"},"policy":{"timeout":"PT5S","overlap":"allow","max_running":2,"retry":{"attempts":2,
  "delay":"PT30S"}},"name":"timed-out"}', 'UTC', 1, 0,
  @70, @50, @60, @70, 2, 1, @60, '{"lingering": 1}', 0, 0, 1, NULL);
INSERT INTO run VALUES (17, 10, 0, 'schedule', @50, NULL, 0, '[[@50, @55, "timed_out", [["TimeoutError"], "", ""]],
  [@56, @61, "timed_out", [["TimeoutError"], "", ""]]]', 'lingering', 1, NULL, 3, @56, 1, 'timed_out', @61);
INSERT INTO run VALUES (18, 10, 0, 'schedule', @60, @50, 0, '[[@60, @65, "timed_out", [["TimeoutError"], "", ""]]]',
  'outrun', 1, NULL, 3, @60, NULL, NULL, NULL);

INSERT INTO task VALUES (11, 'not-known', 1, NULL, 'gone', '{"func":"gone","kwargs":{},"schedule":{"kind":"repeat",
  "n":-1,"wait":"PT10S"},"name":"not-known"}', 'UTC', 1, 0,
  @70, @0, @60, @70, 5, 0, @60, NULL, 0, 0, 6, '{"succeeded": 4, "missed": 2}');
INSERT INTO run VALUES (19, 11, 0, 'schedule', @60, @50, 0, '[[@60, @61, "succeeded", null]]', 'ended', 0, NULL, NULL,
  @60, 6, 'succeeded', @61);
"""
"""Where "@60" is the microsecond 60 seconds after AT."""


def write(file: Path) -> None:
    """Write the file."""
    rows = re.sub(r"@(\d+)", lambda found: f"{(AT + int(found[1])) * 1_000_000}", ROWS)
    with closing(sqlite3.connect(file)) as db:
        db.executescript(SCHEMA + rows)
