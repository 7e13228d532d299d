"""The sandbox's storage: dictionaries in front of one SQLite file.

Reads come from the dictionaries. Changes are collected in ``_dirty`` and written by ``commit()``. The server
commits before it sends a response, so a kill -9 never loses anything that a client has seen.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

# Indexed fields. Both are private and never part of a response.
INDEXED = ("_parent", "_ref")
LOG_KEEP = 50_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (kind TEXT, key TEXT, seq INTEGER, body TEXT, PRIMARY KEY (kind, key));
CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, body TEXT);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
"""


class Store:
    """Objects by (kind, key) in creation order, with two indexes, a request log and a few meta values."""

    def __init__(self, path: str = ":memory:") -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0.5)
        # One process at a time: a second one fails immediately with "database is locked".
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        # WAL with NORMAL survives a crash of the process (not of the machine) at a tenth of the cost.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._reset_cache()
        self._load()

    def _reset_cache(self) -> None:
        self._objects: dict[str, dict[str, Obj]] = {}
        self._seq: dict[tuple[str, str], int] = {}
        self._index: dict[tuple[str, str, str], dict[str, None]] = {}
        self._indexed_as: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._dirty: dict[tuple[str, str], bool] = {}
        self._dirty_meta: set[str] = set()
        self._new_log: list[Obj] = []
        self.log: deque[Obj] = deque(maxlen=LOG_KEEP)
        self.meta: dict[str, Any] = {}
        self._next_seq = 1
        self._next_log = 1

    def _load(self) -> None:
        for kind, key, seq, body in self._db.execute("SELECT kind, key, seq, body FROM objects ORDER BY seq"):
            self._objects.setdefault(kind, {})[key] = json.loads(body)
            self._seq[kind, key] = seq
            self._reindex(kind, key)
            self._next_seq = max(self._next_seq, seq + 1)
        rows = self._db.execute("SELECT id, body FROM log ORDER BY id DESC LIMIT ?", (LOG_KEEP,)).fetchall()
        for row_id, body in reversed(rows):
            self.log.append(json.loads(body))
            self._next_log = max(self._next_log, row_id + 1)
        self._db.execute("DELETE FROM log WHERE id < ?", (self._next_log - LOG_KEEP,))
        self.meta = {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM meta")}

    # -- objects ---------------------------------------------------------------------------------------------

    def get(self, kind: str, key: str) -> Obj | None:
        return self._objects.get(kind, {}).get(key)

    def all(self, kind: str) -> list[Obj]:
        """Oldest first."""
        return list(self._objects.get(kind, {}).values())

    def kinds(self) -> list[str]:
        return sorted(self._objects)

    def items(self, kind: str) -> Iterator[tuple[str, Obj]]:
        return iter(list(self._objects.get(kind, {}).items()))

    def count(self, kind: str) -> int:
        return len(self._objects.get(kind, {}))

    def by(self, kind: str, field: str, value: str) -> list[Obj]:
        """Objects whose indexed ``field`` equals ``value``, oldest first."""
        found = self._index.get((kind, field, value), {})
        return [self._objects[kind][key] for key in found]

    def put(self, kind: str, key: str, obj: Obj) -> Obj:
        """Save a new or changed object. Must be called after every change, or a restart loses the change."""
        if (kind, key) not in self._seq:
            self._seq[kind, key] = self._next_seq
            self._next_seq += 1
        self._objects.setdefault(kind, {})[key] = obj
        self._reindex(kind, key)
        self._dirty[kind, key] = True
        return obj

    def delete(self, kind: str, key: str) -> None:
        if self._objects.get(kind, {}).pop(key, None) is None:
            return
        self._unindex(kind, key)
        self._seq.pop((kind, key), None)
        self._dirty[kind, key] = False

    def _unindex(self, kind: str, key: str) -> None:
        for field, value in zip(INDEXED, self._indexed_as.pop((kind, key), ()), strict=False):
            if value is not None:
                self._index[kind, field, value].pop(key, None)

    def _reindex(self, kind: str, key: str) -> None:
        obj = self._objects[kind][key]
        values = tuple(obj.get(field) for field in INDEXED)
        if self._indexed_as.get((kind, key)) == values:
            return
        self._unindex(kind, key)
        self._indexed_as[kind, key] = values
        for field, value in zip(INDEXED, values, strict=True):
            if value is not None:
                self._index.setdefault((kind, field, value), {})[key] = None

    # -- counters, log, commit -------------------------------------------------------------------------------

    def set_meta(self, key: str, value: Any) -> None:
        self.meta[key] = value
        self._dirty_meta.add(key)

    def next_number(self, name: str) -> int:
        """A counter that survives restarts."""
        value = int(self.meta.get(f"counter:{name}", 0)) + 1
        self.set_meta(f"counter:{name}", value)
        return value

    def add_log(self, entry: Obj) -> None:
        entry = {"id": self._next_log, **entry}
        self._next_log += 1
        self.log.append(entry)
        self._new_log.append(entry)

    def commit(self) -> None:
        """Write all changes since the last commit in one transaction."""
        if not (self._dirty or self._new_log or self._dirty_meta):
            return
        db = self._db
        db.execute("BEGIN")
        for (kind, key), alive in self._dirty.items():
            if alive:
                body = json.dumps(self._objects[kind][key])
                row = (kind, key, self._seq[kind, key], body)
                db.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", row)
            else:
                db.execute("DELETE FROM objects WHERE kind = ? AND key = ?", (kind, key))
        for entry in self._new_log:
            db.execute("INSERT INTO log VALUES (?, ?)", (entry["id"], json.dumps(entry)))
        for name in self._dirty_meta:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(self.meta[name])))
        db.execute("COMMIT")
        self._dirty, self._new_log, self._dirty_meta = {}, [], set()

    def clear(self) -> None:
        """Delete everything, on disk as well."""
        self._reset_cache()
        self._db.executescript("DELETE FROM objects; DELETE FROM log; DELETE FROM meta;")

    def close(self) -> None:
        self.commit()
        self._db.close()
