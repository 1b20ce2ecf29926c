"""The password hasher."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id at OWASP's cost; Django's default takes 100 MiB a hash."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
