"""The log and the exception reports."""
