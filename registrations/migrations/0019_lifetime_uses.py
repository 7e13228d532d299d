"""What each brand has used up of the registry's limits, kept for good."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registrations", "0018_uncatalogued")]

    operations = [
        migrations.CreateModel(
            name="LimitUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("field", models.CharField(max_length=32)),
                ("value", models.CharField(max_length=255)),
                ("brand_sid", models.CharField(max_length=34)),
                ("at", models.DateTimeField()),
                (
                    "registration",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="limit_uses",
                        to="registrations.registration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("field", "value", "brand_sid"), name="limituse_once")
                ],
            },
        ),
    ]
