"""The WSGI application that a production server loads."""

import os

from django.core.wsgi import get_wsgi_application

from authsvc.middleware.request_guard import RequestGuard

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")

application = RequestGuard(get_wsgi_application())
