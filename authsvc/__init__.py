"""The deployment: settings, the mount table, the admin site and the commands that run it all."""
