"""The file of an import, kept until a job has read its rows."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registrations", "0011_search_index")]

    operations = [
        migrations.CreateModel(
            name="ImportFile",
            fields=[
                (
                    "upload",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="registrations.import",
                    ),
                ),
                ("content", models.BinaryField()),
            ],
        ),
    ]
