"""Indexes under what a page or a figure counts: customers who owe a YES, numbers by state, what was paid."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0014_no_last_digest'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='steprun',
            name='steprun_paid',
        ),
        migrations.AddIndex(
            model_name='brand',
            index=models.Index(condition=models.Q(('gone_at', None), ('status', 'APPROVED'), models.Q(('sid', ''), _negated=True), models.Q(('identity_status', 'VERIFIED'), _negated=True)), fields=['otp_sent_at'], name='brand_owed'),
        ),
        migrations.AddIndex(
            model_name='phonenumber',
            index=models.Index(fields=['a2p_status', 'a2p_status_at'], name='number_a2p'),
        ),
        migrations.AddIndex(
            model_name='steprun',
            index=models.Index(condition=models.Q(('fee__isnull', False)), fields=['-finished_at', 'state', 'step', 'fee'], name='steprun_paid'),
        ),
    ]
