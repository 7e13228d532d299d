"""The revision that a dry run saw: what somebody edits afterwards is not sent by the batch."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registrations", "0015_indexes_of_figures")]

    operations = [
        migrations.AddField(
            model_name="batchitem",
            name="revision",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
