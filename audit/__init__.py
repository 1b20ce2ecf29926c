"""The trail: every login attempt and every other event that matters, only ever added to."""
