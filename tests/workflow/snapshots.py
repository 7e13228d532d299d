"""The database, the sandbox and the clock as they were, kept in memory: most of a walk is shared by many tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import time_machine
from django.apps import apps
from django.db import connection, models

from registrations.core import clock
from registrations.sandbox import SandboxServer


@dataclass(frozen=True)
class Snapshot:
    """What a test finds when it starts where an earlier one was."""

    at: datetime
    pk: int
    tables: dict[str, tuple[list[str], list[tuple[Any, ...]]]]
    sandbox: bytes

    @classmethod
    def take(cls, pk: int, server: SandboxServer) -> "Snapshot":
        world = server.world
        with world.lock:
            world.store.commit()
            return cls(clock.now(), pk, dict(_tables()), world.store._db.serialize())

    @contextmanager
    def restored(self, server: SandboxServer) -> Iterator[None]:
        """Both databases hold what they held, and it is that time again; time passes as usual."""
        with time_machine.travel(self.at, tick=True):
            with connection.cursor() as cursor:
                for table, (columns, rows) in self.tables.items():
                    names = ", ".join(map(connection.ops.quote_name, columns))
                    places = ", ".join(["%s"] * len(columns))
                    cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
            world = server.world
            with world.lock:
                world.store._db.deserialize(self.sandbox)
                world.store._reset_cache()
                world.store._load()
                world._load_timers()
            world.wake.set()
            yield


def _tables() -> Iterator[tuple[str, tuple[list[str], list[tuple[Any, ...]]]]]:
    """(table, its columns and rows) of every table that is not empty, ours and the queue's."""
    found: list[type[models.Model]] = [
        model
        for app in ("registrations", "django_q")
        for model in apps.get_app_config(app).get_models()
        if not model._meta.proxy
    ]
    with connection.cursor() as cursor:
        for model in found:
            table = connection.ops.quote_name(model._meta.db_table)
            columns = [field.column for field in model._meta.concrete_fields]
            cursor.execute(f"SELECT {', '.join(map(connection.ops.quote_name, columns))} FROM {table}")
            if rows := cursor.fetchall():
                yield table, (columns, rows)
