"""On PostgreSQL a trigram index under the searches, and the searched text of the cases that exist.

Without the right to make the extension the search still works, by reading the table. Measured: see docs/bench.md.
"""

import logging

from django.db import DatabaseError, migrations, transaction

log = logging.getLogger(__name__)
INDEX = "registration_search"


def make_index(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {INDEX} ON registrations_registration "
                "USING gin (search_text gin_trgm_ops)"
            )
    except DatabaseError as error:
        log.warning(
            "No trigram index (%s): searches read the whole table. Have an administrator run "
            "CREATE EXTENSION pg_trgm; CREATE INDEX registration_search ON registrations_registration "
            "USING gin (search_text gin_trgm_ops);",
            type(error).__name__,
        )


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX IF EXISTS {INDEX}")


def fill(apps, schema_editor):
    """Cases of an earlier version have no searched text yet."""
    from registrations.search_text import text_of

    cases = apps.get_model("registrations", "Registration").objects.filter(search_text="")
    parts = ("profile", "trust_bundle", "brand", "campaign", "phone_number")
    for case in cases.select_related(*parts).iterator(chunk_size=500):
        if all(hasattr(case, part) for part in parts):
            cases.model.objects.filter(pk=case.pk).update(search_text=text_of(case))


class Migration(migrations.Migration):
    dependencies = [("registrations", "0010_preflight_override")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(make_index, drop_index),
    ]
