"""Django's system checks where no management command runs them."""

from django.core.checks import run_checks


def run_startup_checks() -> None:
    """End the process with one line for each system check that fails with level Error."""
    failed = [message for message in run_checks() if message.is_serious() and not message.is_silenced()]
    if failed:
        raise SystemExit("\n".join(f"({message.id}) {message.msg} HINT: {message.hint}" for message in failed))
