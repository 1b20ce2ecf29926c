"""The staff export, without secret columns."""

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.admin.conftest import logged_in, message_texts
from accounts.tests.admin.test_import import confirm, upload
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

EXPORT = "/admin/accounts/user/export"


def content(response: Any) -> bytes:
    return b"".join(response)


def csv_rows(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(response).decode("utf-8-sig"), newline="")))


def xlsx_rows(response: Any) -> list[tuple[Any, ...]]:
    sheet: Any = openpyxl.load_workbook(io.BytesIO(content(response))).active
    return list(sheet.iter_rows(values_only=True))


def test_csv_contains_the_filtered_users(staff_client: Client, alice: User, bob: User) -> None:
    header, *rows = csv_rows(staff_client.post(f"{EXPORT}/csv/?q=alice"))
    assert header[:5] == ["user name", "full name", "e-mail address", "phone", "role"]
    assert [row[:5] for row in rows] == [["alice", "Alice Zhang", "alice@hospital.example", "13800138000", "pharmacy"]]


def test_xlsx_contains_the_same_cells(staff_client: Client, alice: User, bob: User) -> None:
    by_csv = csv_rows(staff_client.post(f"{EXPORT}/csv/"))
    by_xlsx = xlsx_rows(staff_client.post(f"{EXPORT}/xlsx/"))
    assert [[str(cell or "") for cell in row] for row in by_xlsx] == by_csv


def test_xlsx_has_times_as_times_in_the_services_time_zone(staff_client: Client, alice: User) -> None:
    header, row = xlsx_rows(staff_client.post(f"{EXPORT}/xlsx/?q=alice"))
    created = dict(zip(header, row, strict=True))["created (Asia/Shanghai)"]
    assert created == timezone.localtime(alice.created_at).replace(tzinfo=None, microsecond=0)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_formula_is_escaped(staff_client: Client, alice: User, kind: str) -> None:
    User.objects.filter(pk=alice.pk).update(full_name="=1+1")
    response = staff_client.post(f"{EXPORT}/{kind}/?q=alice")
    rows: Any = csv_rows(response) if kind == "csv" else xlsx_rows(response)
    assert rows[1][1] == "'=1+1"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_it_contains_no_secret(staff_client: Client, alice: User, kind: str) -> None:
    response = staff_client.post(f"{EXPORT}/{kind}/")
    rows: Any = csv_rows(response) if kind == "csv" else xlsx_rows(response)
    text = repr(rows)
    assert [secret for secret in (alice.password, alice.stamp, "argon2") if secret in text] == []


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_it_is_recorded(staff_client: Client, head: User, alice: User, kind: str) -> None:
    content(staff_client.post(f"{EXPORT}/{kind}/?role__exact=pharmacy"))
    events = SecurityEvent.objects.filter(event="staff:exported", actor=head).order_by("id")
    phases = [(event.detail["phase"], event.detail["filters"], event.detail.get("rows")) for event in events]
    filters = {"role__exact": ["pharmacy"]}
    assert phases == [("started", filters, None), ("complete", filters, 1)]


def test_an_exported_list_can_be_imported(staff_client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(full_name="+Alice")
    data = content(staff_client.post(f"{EXPORT}/csv/?q=alice"))
    alice.delete()
    assert "1 account was created." in message_texts(confirm(staff_client, upload(staff_client, data)))[0]
    back = User.objects.get(username="alice")
    assert (back.full_name, back.phone, back.role) == ("+Alice", "+8613800138000", "pharmacy")


@pytest.mark.parametrize("lookup", ["password__startswith", "stamp__startswith"])
def test_a_filter_by_a_secret_is_refused(staff_client: Client, lookup: str) -> None:
    assert staff_client.post(f"{EXPORT}/csv/?{lookup}=a").status_code == 400


def test_the_export_requires_the_view_permission(auditor: User) -> None:
    assert logged_in(auditor).post(f"{EXPORT}/csv/").status_code == 403
