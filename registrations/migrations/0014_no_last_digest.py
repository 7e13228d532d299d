from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registrations", "0013_names_on_pages")]

    operations = [migrations.RemoveField(model_name="notificationsettings", name="last_digest_at")]
