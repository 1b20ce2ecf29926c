"""Creates the demonstration accounts of document 000."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import InvalidInput
from accounts.models import User
from accounts.services import users
from audit.origin import CONSOLE

PASSWORD = "123456"  # noqa: S105 Document 000 prints it; it is accepted only with DEBUG=true.

# Document 000's table of test users.
PEOPLE = [
    {
        "username": "admin",
        "email": "admin@hospital.com",
        "full_name": "系统管理员",
        "role": "admin",
        "department": "信息科",
    },
    {
        "username": "dr_wang",
        "email": "wang@hospital.com",
        "full_name": "王医生",
        "role": "doctor",
        "department": "呼吸科",
    },
    {
        "username": "dr_li",
        "email": "li@hospital.com",
        "full_name": "李研究员",
        "role": "researcher",
        "department": "科研部",
    },
    {
        "username": "viewer_zhang",
        "email": "zhang@hospital.com",
        "full_name": "张医生",
        "role": "viewer",
        "department": "放射科",
    },
]


class Command(BaseCommand):
    help = "Creates the four demonstration accounts of document 000; existing ones are not changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password", default=PASSWORD, help=f"their password, by default {PASSWORD}")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demonstration accounts are for development only: set DEBUG=true.")
        for person in PEOPLE:
            if User.objects.taken(User(**person)):
                self.stdout.write(f"{person['username']} exists already.")
                continue
            try:
                users.create(columns=person, password=options["password"], origin=CONSOLE)
            except InvalidInput as error:
                raise CommandError(" ".join(str(problem.detail) for problem in error.errors["password"])) from error
            self.stdout.write(f"{person['username']} was created, role {person['role']}.")
