"""The admin site: login, password change, dashboard and logo."""
