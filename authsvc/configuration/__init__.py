"""The configuration: environment variables, their validation, and the system checks."""
