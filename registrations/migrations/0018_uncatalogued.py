"""What Twilio says that the failure catalogue does not hold is collected."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0017_import_row_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Uncatalogued',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(max_length=20)),
                ('kind', models.CharField(choices=[('code', 'Code'), ('field', 'Field'), ('words', 'Words')], max_length=5)),
                ('word', models.CharField(max_length=80)),
                ('message', models.CharField(blank=True, max_length=300)),
                ('times', models.PositiveIntegerField(default=0)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('registration', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='registrations.registration')),
            ],
            options={
                'ordering': ['-last_at'],
                'constraints': [models.UniqueConstraint(fields=('part', 'kind', 'word'), name='uncatalogued_once')],
            },
        ),
    ]
