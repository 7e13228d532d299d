"""WSGI entry point, e.g. `gunicorn a2p_admin.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "a2p_admin.settings")
application = get_wsgi_application()
