"""What a row of an import would change in a saved case, and which revision of the case was looked at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registrations", "0016_batch_item_revision")]

    operations = [
        migrations.AddField("importrow", "changes", models.JSONField(blank=True, default=list)),
        migrations.AddField("importrow", "revision", models.PositiveIntegerField(null=True)),
    ]
