"""Names as pages say them: batches, calls, prices. No table changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registrations", "0012_import_file")]

    operations = [
        migrations.AlterModelOptions(
            name="batch", options={"ordering": ["-id"], "verbose_name_plural": "batches"}
        ),
        migrations.AlterModelOptions(
            name="fee", options={"ordering": ["kind", "-valid_from"], "verbose_name": "price"}
        ),
        migrations.AlterModelOptions(name="steprun", options={"ordering": ["-id"], "verbose_name": "call"}),
    ]
