"""Where imported accounts have come from, and the ids that are kept for them."""

from django.db import models

from accounts.models.user import User


class ImportedAccount(models.Model):
    """A person of a former system: a repeated import recognizes the person by it, whatever has changed here since."""

    # SHA-256 of the system, the id there and the identifier that the system's clients log in with.
    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    system = models.CharField(max_length=20)
    former_id = models.PositiveBigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.system} {self.former_id}: user {self.user_id}"


class ReservedIds(models.Model):
    """Ids of accounts that an import has reserved: no other account has ever had one of them.

    The import that is done removes the row. One that was interrupted leaves it, and the next one may use the ids.
    """

    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"
