"""The checks of `manage.py doctor`: what a deployment needs, tried out rather than read from its configuration."""
