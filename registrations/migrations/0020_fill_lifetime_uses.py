"""What the brands of earlier versions have used up, from what was sent for them."""

from django.db import migrations

FIELDS = ("mobile_phone_number", "email", "street")


def fill(apps, schema_editor):
    """From the tries of each brand, and from what a brand was made of where no try is on record."""
    from registrations.limits import values_in

    LimitUse = apps.get_model("registrations", "LimitUse")
    tries = apps.get_model("registrations", "Submission").objects.filter(part="brand").exclude(sid="")
    brands = apps.get_model("registrations", "Brand").objects.exclude(sid="")
    rows = []

    def note(registration_id, sid, content, at):
        values = zip(FIELDS, values_in(content if isinstance(content, dict) else {}), strict=True)
        rows.extend(
            LimitUse(field=field, value=value, brand_sid=sid, registration_id=registration_id, at=at)
            for field, value in values
            if value
        )
        if len(rows) >= 1000:
            save()

    def save():
        LimitUse.objects.bulk_create(rows, ignore_conflicts=True)
        rows.clear()

    for one in tries.only("registration_id", "sid", "sent", "at").iterator(chunk_size=500):
        note(one.registration_id, one.sid, one.sent.get("bundle"), one.at)
    for one in brands.only("registration_id", "sid", "sent", "updated_at").iterator(chunk_size=500):
        note(one.registration_id, one.sid, one.sent.get("content", {}).get("bundle"), one.updated_at)
    save()


class Migration(migrations.Migration):
    dependencies = [("registrations", "0019_lifetime_uses")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
