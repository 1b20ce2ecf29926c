"""Staff from a list: looked at first, all or nothing, and never a secret."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.admin import staff_file
from accounts.models import User
from accounts.tests.admin.conftest import logged_in, told
from accounts.tests.tools import later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

IMPORT = "/admin/accounts/user/import/"
HEADER = "username,full_name,email,phone,role,department\n"
TWO = HEADER + "wang,王医生,wang@hospital.example,13900139000,doctor,内科\nli,李药师,,,pharmacy,药房\n"


def look(client: Client, content: str | bytes) -> Any:
    """Upload a file and return the page that shows what is in it."""
    data = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"file": SimpleUploadedFile("staff.csv", data)})


def confirm(client: Client, preview: Any) -> Any:
    return client.post(IMPORT, {"signed": preview.context["signed"], "confirmed": "yes"}, follow=True)


def wrong(preview: Any) -> dict[int, list[str]]:
    """Return what the page says of bad rows."""
    return {number: problems for number, _values, problems in preview.context["rows"] if problems}


def xlsx(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class TestLook:
    def test_it_shows_what_would_come_and_writes_nothing(self, office: Client) -> None:
        page = look(office, TWO)
        assert "2 accounts will be created, without passwords." in page.content.decode()
        assert wrong(page) == {}
        assert list(User.objects.values_list("username", flat=True)) == ["head"]

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ("two words,,,,doctor,", "user name: A user name has letters, digits and . _ - + only."),
            ("13900139001,,,,doctor,", "user name: A user name cannot be a phone number."),
            (",x,,,doctor,", "user name: This field cannot be blank."),
            ("carol,,nonsense,,doctor,", "e-mail address: This is not an e-mail address."),
            ("carol,,,12345,doctor,", "phone: This is not a valid phone number."),
            ("carol,,,,surgeon,", "role: Value 'surgeon' is not a valid choice."),
            ("carol,,,,,", "role: This field cannot be blank."),
            (f"carol,{'x' * 101},,,doctor,", "full name: Ensure this value has at most 100 characters (it has 101)."),
            ("carol,a\x00b,,,doctor,", "full name: It has control characters."),
            ("ALICE,,,,doctor,", "user name: Another account has this already."),
            ("carol,,ALICE@hospital.example,,doctor,", "e-mail address: Another account has this already."),
            ("carol,,,+86 138-0013-8000,doctor,", "phone: Another account has this already."),
            ("LI,,,,doctor,", "user name: Row 3 has this already."),
            ("carol,,wang@HOSPITAL.example,,doctor,", "e-mail address: Row 2 has this already."),
            ("carol,,,+8613900139000,doctor,", "phone: Row 2 has this already."),
        ],
    )
    def test_a_bad_row_is_named_and_the_list_cannot_be_confirmed(
        self, office: Client, alice: User, row: str, problem: str
    ) -> None:
        page = look(office, TWO + row)
        assert wrong(page) == {4: [problem]}
        assert 'name="confirmed"' not in page.content.decode()

    def test_a_column_that_is_not_taken_is_named(self, office: Client) -> None:
        content = "username,role,password,is_superuser\nwang,doctor,$argon2id$v=19$x,1\n"
        page = look(office, content)
        assert page.context["ignored"] == ["password", "is_superuser"]
        confirm(office, page)
        user = User.objects.get(username="wang")
        assert (user.has_usable_password(), user.is_superuser) == (False, False)

    @pytest.mark.parametrize(
        "data",
        [
            TWO.encode("utf-8-sig"),
            TWO.encode("gb18030"),
            TWO.encode("utf-16"),
            TWO.replace(",", ";").encode(),
            TWO.replace(",", "\t").encode(),
            TWO.replace("\n", "\r\n").encode(),
        ],
    )
    def test_csv_is_read_as_spreadsheets_write_it(self, office: Client, data: bytes) -> None:
        confirm(office, look(office, data))
        assert User.objects.get(username="wang").full_name == "王医生"

    def test_the_first_row_may_name_the_columns_as_the_screens_do(self, office: Client) -> None:
        confirm(office, look(office, "User name,Full name,Role\nwang,王医生,Administrator\n"))
        assert User.objects.get(username="wang").role == "admin"

    def test_xlsx_is_read_with_numbers_as_digits(self, office: Client) -> None:
        rows: list[list[object]] = [
            ["username", "phone", "role"],
            ["wang", 13900139000, "doctor"],
            [80123.0, None, "doctor"],
        ]
        confirm(office, look(office, xlsx(*rows)))
        assert User.objects.get(username="wang").phone == "+8613900139000"
        assert User.objects.filter(username="80123").exists()

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"", "The file is empty."),
            (b"\n", "The first row has to name the columns; it lacks: username, role."),
            (b"username\nwang", "The first row has to name the columns; it lacks: role."),
            (b"username,role\n", "The list has no rows."),
            (b"username,role,role\nwang,doctor,doctor", "The first row names a column twice."),
            (b"PK\x03\x04nonsense", "This is neither CSV nor XLSX."),
            (b"\xd0\xcf\x11\xe0", "This is a file of an old Excel. Save it as .xlsx or CSV."),
            (b"\xff\x80\x81", "This is neither CSV nor XLSX."),
            (b"username,role\n" + b"x" * 1_000_000, "The file is too large: at most 1 MB."),
            (b"username,role\n" + b"x,doctor\n" * 2001, "The list is too long: at most 2000 rows."),
        ],
    )
    def test_what_is_no_list_is_told_so(self, office: Client, data: bytes, problem: str) -> None:
        assert str(look(office, data).context["error"]) == problem

    def test_a_file_that_unpacks_to_far_more_is_refused(self, office: Client) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_001)
        assert len(file.getvalue()) < staff_file.MOST_BYTES
        error = look(office, file.getvalue()).context["error"]
        assert str(error) == "The file unpacks to more than a staff list has."

    def test_an_entity_is_not_expanded(self, office: Client) -> None:
        good = io.BytesIO(xlsx(["username", "role"], ["wang", "doctor"]))
        bad = io.BytesIO()
        with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
            for name in source.namelist():
                part = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    declared = b'<!DOCTYPE x [<!ENTITY e "doctor">]>'
                    part = declared + part.replace(b"doctor", b"&e;")
                target.writestr(name, part)
        assert str(look(office, bad.getvalue()).context["error"]) == "This is neither CSV nor XLSX."


class TestConfirm:
    def test_all_come_without_a_password_with_an_event_each_and_one_for_all(self, office: Client, head: User) -> None:
        assert told(confirm(office, look(office, TWO))) == [
            "2 accounts were created. None has a password yet: send codes, and their owners choose."
        ]
        users = {user.username: user for user in User.objects.exclude(pk=head.pk)}
        assert {name: (user.role, user.has_usable_password()) for name, user in users.items()} == {
            "wang": ("doctor", False),
            "li": ("pharmacy", False),
        }
        events = list(SecurityEvent.objects.order_by("id").values_list("event", "user", "actor", "detail"))
        assert events[:-1] == [
            ("user:created", users["wang"].pk, head.pk, {"role": "doctor"}),
            ("user:created", users["li"].pk, head.pk, {"role": "pharmacy"}),
        ]
        assert (*events[-1][:3], events[-1][3]["count"]) == ("staff:imported", None, head.pk, 2)

    def test_what_was_taken_meanwhile_is_named_and_nothing_is_written(self, office: Client, head: User) -> None:
        page = look(office, TWO)
        User.objects.create_user("LI", None, None)
        assert wrong(confirm(office, page)) == {3: ["user name: Another account has this already."]}
        assert sorted(User.objects.values_list("username", flat=True)) == ["LI", "head"]

    def test_a_second_click_is_told_that_the_first_did_it(self, office: Client) -> None:
        page = look(office, TWO)
        confirm(office, page)
        assert told(confirm(office, page)) == ["This list was imported already, by an earlier click."]
        assert User.objects.count() == 3

    def test_what_was_looked_at_is_good_for_its_reader_alone(self, office: Client, roots: Client) -> None:
        page = look(office, TWO)
        assert str(confirm(roots, page).context["error"]) == "This preview is too old. Choose the file again."

    def test_what_was_not_looked_at_is_refused(self, office: Client) -> None:
        response = office.post(IMPORT, {"signed": "made:up", "confirmed": "yes"})
        assert str(response.context["error"]) == "This preview is too old. Choose the file again."

    def test_it_is_good_for_half_an_hour(self, head: User) -> None:
        page = look(logged_in(head), TWO)
        with later(minutes=31):
            response = confirm(logged_in(head), page)
        assert str(response.context["error"]) == "This preview is too old. Choose the file again."
