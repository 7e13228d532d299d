"""A migrated SQLite database, made once and copied by every test process.

All migrations of all apps take seconds in each process. The file in var/tests/ is made again when a migration, a
model or a package changes. PostgreSQL test databases are migrated as usual.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created

FOLDER = Path(settings.BASE_DIR) / "var" / "tests"


def template() -> Path:
    """The database file; made now if there is none, also when several processes ask at once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"migrated-{_fingerprint()}.sqlite3"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in FOLDER.glob("*.sqlite3*"):
                old.unlink()
            _make(path)
    return path


def _fingerprint() -> str:
    base = Path(settings.BASE_DIR)
    files = [base / "uv.lock", base / "a2p_admin" / "settings.py"]
    files += sorted((base / "registrations").glob("m[io][gd]*/*.py"))  # migrations and models
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _make(path: Path) -> None:
    unfinished = path.with_suffix(".sqlite3-unfinished")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {"DATABASE_URL": f"sqlite:///{unfinished}", "DJANGO_SETTINGS_MODULE": "tests.settings"},
        check=True,
    )
    database = sqlite3.connect(unfinished)
    database.execute("PRAGMA journal_mode=DELETE")  # a copy in memory cannot have a write-ahead log
    database.close()
    unfinished.rename(path)


def copy_to(path: Path) -> None:
    """A migrated database at `path`."""
    shutil.copy(template(), path)


def fill_when_empty(connection: Any, **kwargs: Any) -> None:
    """Copy the tables into a test database that has just been created, before Django migrates it."""
    entry = connection.settings_dict
    is_test = "mode=memory" in str(entry["NAME"]) or entry["NAME"] == entry["TEST"]["NAME"]
    if connection.vendor != "sqlite" or not is_test:
        return
    if connection.connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        source = sqlite3.connect(template())
        source.backup(connection.connection)
        source.close()


def use_template() -> None:
    connection_created.connect(fill_when_empty)
