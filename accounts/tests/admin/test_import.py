"""The staff import: preview, confirmation, all or nothing, without passwords."""

import io
import zipfile
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Message, User
from accounts.tests.admin.conftest import logged_in, message_texts
from accounts.tests.tools import later
from audit.models import SecurityEvent

pytestmark = pytest.mark.django_db

IMPORT = "/admin/accounts/user/import/"
ROLE_PROBLEM = (
    "role: surgeon is not a role. Roles: administrator, doctor, researcher, viewer, patient, pharmacy, supplier,"
    " logistics, regulator, no role."
)
HEADER = "username,full_name,email,phone,role,department\n"
TWO = HEADER + "wang,王医生,wang@hospital.example,13900139000,doctor,内科\nli,李药师,,,pharmacy,药房\n"


def upload(client: Client, content: str | bytes) -> Any:
    """Upload a file and return its preview."""
    data = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"file": SimpleUploadedFile("staff.csv", data)})


def confirm(client: Client, preview: Any) -> Any:
    """Confirm a preview, with the new names that it has."""
    answers = {"signed": preview.context["signed"], "confirmed": "yes", "new_names": "yes"}
    return client.post(IMPORT, answers, follow=True)


def problems_of(preview: Any) -> dict[int, list[str]]:
    """Return the problems of the preview's invalid rows."""
    return {number: problems for number, _values, problems in preview.context["rows"] if problems}


def xlsx(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class TestPreview:
    def test_it_shows_the_accounts_and_writes_nothing(self, staff_client: Client) -> None:
        page = upload(staff_client, TWO)
        assert "2 accounts will be created without passwords." in page.content.decode()
        assert problems_of(page) == {}
        assert list(User.objects.values_list("username", flat=True)) == ["head"]

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ("two words,,,,doctor,", "user name: A user name may contain only letters, digits and . _ - +."),
            ("13900139001,,,,doctor,", "user name: A user name cannot be a phone number."),
            (",x,,,doctor,", "user name: This field cannot be blank."),
            ("carol,,nonsense,,doctor,", "e-mail address: This is not an e-mail address."),
            ("carol,,zhang@hospital,,doctor,", "e-mail address: The domain of an e-mail address must contain a dot."),
            ("carol,,,12345,doctor,", "phone: This is not a valid phone number."),
            ("carol,,,,surgeon,", ROLE_PROBLEM),
            ("carol,,,,,", "role: This field cannot be blank."),
            (f"carol,{'x' * 101},,,doctor,", "full name: Ensure this value has at most 100 characters (it has 101)."),
            ("carol,a\x00b,,,doctor,", "full name: Control characters are not allowed."),
            ("ALICE,,,,doctor,", "user name: Another account already has this value."),
            ("carol,,ALICE@hospital.example,,doctor,", "e-mail address: Another account already has this value."),
            ("carol,,,+86 138-0013-8000,doctor,", "phone: Another account already has this value."),
            ("LI,,,,doctor,", "user name: Row 3 already has this value."),
            ("carol,,wang@HOSPITAL.example,,doctor,", "e-mail address: Row 2 already has this value."),
            ("carol,,,+8613900139000,doctor,", "phone: Row 2 already has this value."),
        ],
    )
    def test_an_invalid_row_prevents_the_confirmation(
        self, staff_client: Client, alice: User, row: str, problem: str
    ) -> None:
        page = upload(staff_client, TWO + row)
        assert problems_of(page) == {4: [problem]}
        assert 'name="confirmed"' not in page.content.decode()

    def test_an_ignored_column_is_named(self, staff_client: Client) -> None:
        content = "username,role,password,is_superuser\nwang,doctor,$argon2id$v=19$x,1\n"
        page = upload(staff_client, content)
        assert page.context["ignored"] == ["password", "is_superuser"]
        confirm(staff_client, page)
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
    def test_csv_of_spreadsheet_programs_is_read(self, staff_client: Client, data: bytes) -> None:
        confirm(staff_client, upload(staff_client, data))
        assert User.objects.get(username="wang").full_name == "王医生"

    def test_columns_and_roles_may_be_named_by_their_labels(self, staff_client: Client) -> None:
        confirm(staff_client, upload(staff_client, "User name,Full name,Role\nwang,王医生,Administrator\n"))
        assert User.objects.get(username="wang").role == "admin"

    @pytest.mark.parametrize(
        "header",
        ["账号,姓名,邮箱,手机,角色,部门", "用户名,姓名,邮箱,手机号,职务,科室", "账号,姓名,邮箱,电话,角色,科室"],
    )
    def test_columns_and_roles_have_the_names_that_hospitals_give_them(self, staff_client: Client, header: str) -> None:
        page = upload(staff_client, f"{header}\nwang,王医生,w@a.com,13900139000,医生,内科\n")
        assert (problems_of(page), page.context["ignored"]) == ({}, [])
        confirm(staff_client, page)
        columns = ("full_name", "email", "phone", "role", "department")
        assert User.objects.values_list(*columns).get(username="wang") == (
            "王医生",
            "w@a.com",
            "+8613900139000",
            "doctor",
            "内科",
        )

    def test_of_two_names_for_a_column_one_counts_and_the_other_is_named(self, staff_client: Client) -> None:
        page = upload(staff_client, "账号,岗位,职务,角色,电话,手机\nwang,医师,科主任,医生,6601,13900139000\n")
        assert (problems_of(page), page.context["ignored"]) == ({}, ["职务", "电话"])

    def test_a_post_beside_roles_is_the_job_title(self, staff_client: Client) -> None:
        page = upload(staff_client, "账号,职务,角色\nwang,主任医师,医生\n")
        confirm(staff_client, page)
        user = User.objects.get(username="wang")
        assert (user.role, user.job_title, page.context["ignored"]) == ("doctor", "主任医师", [])

    def test_rows_with_problems_come_first(self, staff_client: Client) -> None:
        page = upload(staff_client, TWO + "two words,,,,doctor,\n")
        assert [number for number, _values, _problems in page.context["rows"]] == [4, 2, 3]

    def test_the_template_is_a_list_that_can_be_filled_and_read(self, staff_client: Client) -> None:
        file = io.BytesIO(b"".join(staff_client.get(f"{IMPORT}template/").streaming_content))  # type: ignore[attr-defined]
        book = openpyxl.load_workbook(file)
        assert [cell.value for cell in book.worksheets[1]["A"]][:2] == ["administrator", "doctor"]
        book.worksheets[0].append(["wang", "王医生", None, None, "doctor"])
        filled = io.BytesIO()
        book.save(filled)
        assert problems_of(upload(staff_client, filled.getvalue())) == {}

    def test_xlsx_is_read_with_numbers_as_digits(self, staff_client: Client) -> None:
        rows: list[list[object]] = [
            ["username", "phone", "role"],
            ["wang", 13900139000, "doctor"],
            [80123.0, None, "doctor"],
        ]
        confirm(staff_client, upload(staff_client, xlsx(*rows)))
        assert User.objects.get(username="wang").phone == "+8613900139000"
        assert User.objects.filter(username="80123").exists()

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"", "The file is empty."),
            (b"\n", "The first row must contain the column names. Missing: user name, role."),
            (b"username\nwang", "The first row must contain the column names. Missing: role."),
            (b"username,role\n", "The list contains no rows."),
            (b"username,role,role\nwang,doctor,doctor", "The first row contains a column name twice."),
            (b"PK\x03\x04nonsense", "The file is neither CSV nor XLSX."),
            (b"\xd0\xcf\x11\xe0", "This is an old Excel file (.xls). Save it as .xlsx or CSV."),
            (b"\xff\x80\x81", "The file is neither CSV nor XLSX."),
            (b"username,role\n" + b"x" * 1_000_000, "The file is too large: at most 1 MB."),
            (b"username,role\n" + b"x,doctor\n" * 2001, "The list is too long: at most 2000 rows."),
        ],
    )
    def test_an_invalid_file_is_refused_with_its_problem(self, staff_client: Client, data: bytes, problem: str) -> None:
        assert str(upload(staff_client, data).context["error"]) == problem

    @pytest.mark.parametrize(
        ("part", "unit", "count"),
        [
            ("xl/worksheets/sheet1.xml", b"0", 2 * 1024 * 1024),
            ("xl/worksheets/sheet1.xml", b"<c/>", 250_001),
            ("xl/worksheets/sheet1.xml", b"<row/>", 250_001),
            ("xl/sharedStrings.xml", b"<si/>", 250_001),
            ("xl/styles.xml", b"<xf/>", 20_001),
            ("xl/theme/theme1.xml", b"<a/>", 20_001),
        ],
    )
    def test_a_decompression_bomb_is_refused(self, staff_client: Client, part: str, unit: bytes, count: int) -> None:
        good, bomb = io.BytesIO(xlsx(["username", "role"], ["wang", "doctor"])), io.BytesIO()
        with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
            for name in {*source.namelist(), part}:
                target.writestr(name, unit * count if name == part else source.read(name))
        assert len(bomb.getvalue()) < 20_000
        error = upload(staff_client, bomb.getvalue()).context["error"]
        assert str(error) == "The unpacked file is too large: at most 2 MiB, 2000 rows and 30 columns."

    def test_the_longest_list_is_read(self, staff_client: Client) -> None:
        names = [f"column {number}" for number in range(8)]
        filled: list[list[object]] = [["wang", "doctor", *(f"{row} {name}" for name in names)] for row in range(2000)]
        page = upload(staff_client, xlsx(["username", "role", *names], *filled))
        assert len(page.context["rows"]) == 2000

    def test_an_image_in_the_file_is_not_unpacked(self, staff_client: Client) -> None:
        file = io.BytesIO(xlsx(["username", "role"], ["wang", "doctor"]))
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/media/image1.png", b"0" * 30_000_000)
        assert len(upload(staff_client, file.getvalue()).context["rows"]) == 1

    def test_an_entity_is_not_expanded(self, staff_client: Client) -> None:
        good = io.BytesIO(xlsx(["username", "role"], ["wang", "doctor"]))
        bad = io.BytesIO()
        with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
            for name in source.namelist():
                part = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    declared = b'<!DOCTYPE x [<!ENTITY e "doctor">]>'
                    part = declared + part.replace(b"doctor", b"&e;")
                target.writestr(name, part)
        assert str(upload(staff_client, bad.getvalue()).context["error"]) == "The file is neither CSV nor XLSX."


class TestConfirm:
    def test_it_creates_accounts_without_passwords_and_records_each_and_the_import(
        self, staff_client: Client, head: User
    ) -> None:
        assert message_texts(confirm(staff_client, upload(staff_client, TWO))) == [
            "2 accounts were created.",
            "The new accounts have no passwords. Send activation links to let their users set them.",
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

    def test_codes_are_sent_in_the_same_step_to_those_who_have_a_contact(self, staff_client: Client) -> None:
        page = upload(staff_client, TWO)
        data = {"signed": page.context["signed"], "confirmed": "yes", "new_names": "yes", "send_codes": "on"}
        assert message_texts(staff_client.post(IMPORT, data, follow=True)) == [
            "2 accounts were created.",
            "1 link or code is sent.",
            "1 was skipped (li): has no e-mail address or mobile number that codes are sent to.",
        ]
        assert Message.objects.get().user.username == "wang"

    def test_a_name_taken_after_the_preview_prevents_the_import(self, staff_client: Client, head: User) -> None:
        page = upload(staff_client, TWO)
        User.objects.create_user("LI", None, None)
        assert problems_of(confirm(staff_client, page)) == {3: ["user name: Another account already has this value."]}
        assert sorted(User.objects.values_list("username", flat=True)) == ["LI", "head"]

    def test_a_repeated_confirmation_imports_nothing(self, staff_client: Client) -> None:
        page = upload(staff_client, TWO)
        confirm(staff_client, page)
        assert message_texts(confirm(staff_client, page)) == ["This list has already been imported."]
        assert User.objects.count() == 3

    def test_a_preview_is_confirmed_by_its_administrator_alone(
        self, staff_client: Client, superuser_client: Client
    ) -> None:
        page = upload(staff_client, TWO)
        assert (
            str(confirm(superuser_client, page).context["error"]) == "This preview has expired. Choose the file again."
        )

    def test_a_forged_preview_is_refused(self, staff_client: Client) -> None:
        response = staff_client.post(IMPORT, {"signed": "made:up", "confirmed": "yes"})
        assert str(response.context["error"]) == "This preview has expired. Choose the file again."

    def test_a_preview_expires_after_half_an_hour(self, head: User) -> None:
        page = upload(logged_in(head), TWO)
        with later(minutes=31):
            response = confirm(logged_in(head), page)
        assert str(response.context["error"]) == "This preview has expired. Choose the file again."


class TestSkip:
    """An administrator may import the valid rows and skip the invalid ones, which the preview lists."""

    @pytest.fixture
    def preview(self, staff_client: Client, alice: User) -> Any:
        """The preview of two valid rows and of two that cannot become accounts."""
        return upload(staff_client, TWO + "alice,,,,doctor,\nsu,苏医生,zhang@hospital,,doctor,\n")

    def skip(self, client: Client, preview: Any) -> Any:
        data = {"signed": preview.context["signed"], "skip_invalid": "yes", "new_names": "yes"}
        return client.post(IMPORT, data, follow=True)

    def test_the_preview_offers_it_beside_the_problems(self, preview: Any) -> None:
        content = preview.content.decode()
        assert sorted(problems_of(preview)) == [4, 5]
        assert "Valid rows: 2." in content
        assert ('name="skip_invalid"' in content, 'name="confirmed"' in content) == (True, False)

    @pytest.mark.parametrize("row", ["", "alice,,,,doctor,\n"], ids=["no row is invalid", "no row is valid"])
    def test_without_both_kinds_of_rows_there_is_nothing_to_skip(
        self, staff_client: Client, alice: User, row: str
    ) -> None:
        page = upload(staff_client, HEADER + row if row else TWO)
        assert 'name="skip_invalid"' not in page.content.decode()

    def test_it_creates_the_valid_rows_and_names_the_skipped_ones(
        self, staff_client: Client, preview: Any, head: User
    ) -> None:
        assert message_texts(self.skip(staff_client, preview)) == [
            "2 accounts were created.",
            "2 rows were skipped: 4, 5.",
            "The new accounts have no passwords. Send activation links to let their users set them.",
        ]
        assert sorted(User.objects.values_list("username", flat=True)) == ["alice", "head", "li", "wang"]
        detail = SecurityEvent.objects.get(event="staff:imported", actor=head.pk).detail
        assert (detail["count"], detail["skipped"]) == (2, 2)

    def test_all_or_nothing_is_the_default(self, staff_client: Client, preview: Any) -> None:
        assert sorted(problems_of(confirm(staff_client, preview))) == [4, 5]
        assert sorted(User.objects.values_list("username", flat=True)) == ["alice", "head"]

    def test_a_row_that_became_invalid_since_the_preview_is_not_skipped_silently(
        self, staff_client: Client, preview: Any
    ) -> None:
        User.objects.create_user("LI", None, None)
        page = self.skip(staff_client, preview)
        assert sorted(problems_of(page)) == [3, 4, 5]
        assert not User.objects.filter(username="wang").exists()
        assert message_texts(self.skip(staff_client, page))[:2] == [
            "1 account was created.",
            "3 rows were skipped: 3, 4, 5.",
        ]

    def test_repeated_it_imports_nothing(self, staff_client: Client, preview: Any) -> None:
        self.skip(staff_client, preview)
        assert message_texts(self.skip(staff_client, preview)) == ["This list has already been imported."]
        assert User.objects.count() == 4

    def test_of_many_skipped_rows_the_message_names_the_first(self, staff_client: Client, alice: User) -> None:
        page = upload(staff_client, TWO + "alice,,,,doctor,\n" * 60)
        skipped = message_texts(self.skip(staff_client, page))[1]
        assert skipped == f"60 rows were skipped: {', '.join(map(str, range(4, 54)))}, …."


class TestNewNames:
    """Departments and job titles that nobody has yet are confirmed with the preview."""

    def test_the_preview_lists_them_and_requires_the_confirmation(self, staff_client: Client) -> None:
        preview = upload(staff_client, TWO)
        assert preview.context["new_names"] == [("department", ["内科", "药房"])]
        again = staff_client.post(IMPORT, {"signed": preview.context["signed"], "confirmed": "yes"})
        assert (again.context["new_names"], User.objects.count()) == (preview.context["new_names"], 1)
        confirm(staff_client, again)
        assert User.objects.filter(department="内科").exists()

    def test_names_in_use_are_not_listed(self, staff_client: Client, alice: User, bob: User) -> None:
        User.objects.filter(pk=alice.pk).update(department="内科")
        User.objects.filter(pk=bob.pk).update(department="药房")
        preview = upload(staff_client, TWO)
        assert preview.context["new_names"] == []
        assert "The spelling is right" not in preview.content.decode()


def test_dates_are_read_as_spreadsheets_in_china_have_them(staff_client: Client) -> None:
    rows = "wang,doctor,护士,2026/1/5,2027年6月30日\nli,doctor,,2026.01.05,\n"
    confirm(staff_client, upload(staff_client, f"用户名,角色,岗位,开始日期,结束日期\n{rows}"))
    columns = ("username", "job_title", "valid_from", "valid_until")
    assert list(User.objects.filter(username__in=["wang", "li"]).order_by("-pk").values_list(*columns)) == [
        ("wang", "护士", date(2026, 1, 5), date(2027, 6, 30)),
        ("li", "", date(2026, 1, 5), None),
    ]


@pytest.mark.parametrize(
    ("dates", "problem"),
    [
        (
            "soon,",
            "valid from: “soon” value has an invalid date format. It must be in YYYY-MM-DD format.",
        ),
        ("2027-06-30,2027-06-29", "valid until: The last day is before the first one."),
    ],
)
def test_what_is_wrong_with_dates_is_said(staff_client: Client, dates: str, problem: str) -> None:
    page = upload(staff_client, f"username,role,valid_from,valid_until\nwang,doctor,{dates}\n")
    assert problems_of(page) == {2: [problem]}
