"""A look-up of a mobile costs less than a cent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registrations", "0021_address_keys")]

    operations = [
        migrations.AlterField(
            model_name="fee",
            name="amount",
            field=models.DecimalField(decimal_places=4, max_digits=8, verbose_name="US dollars"),
        ),
        migrations.AlterField(
            model_name="fee",
            name="kind",
            field=models.CharField(
                choices=[
                    ("brand", "Brand registration"),
                    ("campaign_vetting", "Campaign vetting"),
                    ("campaign_monthly", "Campaign, a month"),
                    ("number_monthly", "Phone number, a month"),
                    ("lookup", "Look-up of a mobile"),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="steprun",
            name="fee",
            field=models.DecimalField(decimal_places=4, max_digits=8, null=True),
        ),
    ]
