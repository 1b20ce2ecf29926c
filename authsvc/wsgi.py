"""The WSGI application that a production server loads."""

import os

from django.core.wsgi import get_wsgi_application

from authsvc.entrance import Entrance

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")

application = Entrance(get_wsgi_application())
