"""The key by which uses of an address are counted takes more spellings for the same place than before."""

from django.db import migrations


def spell_anew(apps, schema_editor):
    from registrations.limits import address_key

    Profile = apps.get_model("registrations", "Profile")
    changed = []
    columns = ("street", "street_secondary", "postal_code", "iso_country")
    for profile in Profile.objects.only(*columns, "address_key").iterator(chunk_size=1000):
        key = address_key(*(getattr(profile, column) for column in columns))
        if key != profile.address_key:
            profile.address_key = key
            changed.append(profile)
        if len(changed) >= 1000:
            Profile.objects.bulk_update(changed, ["address_key"])
            changed = []
    Profile.objects.bulk_update(changed, ["address_key"])


class Migration(migrations.Migration):
    dependencies = [("registrations", "0020_fill_lifetime_uses")]

    operations = [migrations.RunPython(spell_anew, migrations.RunPython.noop)]
