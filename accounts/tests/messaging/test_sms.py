import io
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pytest_django.fixtures import Settings

from accounts.messaging.senders import DeliveryUnknown, Letter, Refused, sender_for
from accounts.messaging.senders.apprise_url import Gateway
from accounts.tests.messaging.conftest import CODE
from accounts.tests.messaging.gateways import CLOSES, SILENT, HttpGateway, free_port

pytestmark = pytest.mark.any_database

sent: list[tuple[str, str]] = []


def own(number: str, text: str) -> None:
    sent.append((number, text))


def own_that_refuses(number: str, text: str) -> None:
    raise ConnectionError(f"{number} {text}")


no_function = 7


def send(letter: Letter) -> None:
    sender_for("phone")(letter)


@pytest.fixture
def our_log() -> Iterator[io.StringIO]:
    """What reaches the root logger from Apprise and from a canary, at every level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    handler.addFilter(lambda record: record.name in {"apprise", "canary"})
    apprise, root = logging.getLogger("apprise"), logging.getLogger()
    levels = apprise.level, root.level
    root.addHandler(handler)
    apprise.setLevel(logging.DEBUG)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    apprise.setLevel(levels[0])
    root.setLevel(levels[1])


class TestApprise:
    def test_a_hospitals_own_gateway_gets_number_and_text(self, gateway: HttpGateway, letter: Letter) -> None:
        send(letter)
        [body] = gateway.json()
        assert (body["to"], body["message"]) == ("+8613800138000", f"【authsvc】您的验证码是 {CODE}")

    @pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
    def test_an_error_is_a_refusal(self, gateway: HttpGateway, letter: Letter, status: int) -> None:
        gateway.status = status
        with pytest.raises(Refused) as error:
            send(letter)
        assert str(error.value) == f"The gateway answered {status}."

    def test_a_gateway_that_does_not_listen_has_refused(self, settings: Settings, letter: Letter) -> None:
        settings.SMS_URL = f"json://127.0.0.1:{free_port()}/sms?:to={{number}}"
        with pytest.raises(Refused) as error:
            send(letter)
        assert str(error.value) == "The gateway was not reached (ConnectionError)."

    @pytest.mark.parametrize(("behaviour", "kind"), [(SILENT, "ReadTimeout"), (CLOSES, "ConnectionError")])
    def test_no_answer_after_the_text_may_be_a_delivery(
        self, gateway: HttpGateway, letter: Letter, behaviour: str, kind: str
    ) -> None:
        gateway.status = behaviour
        with pytest.raises(DeliveryUnknown) as error:
            send(letter)
        assert str(error.value) == f"The gateway had the text and gave no answer ({kind})."

    def test_a_text_is_sent_once_even_where_the_url_asks_for_more(
        self, settings: Settings, gateway: HttpGateway, letter: Letter
    ) -> None:
        settings.SMS_URL = f"{gateway.url}&retry=3"
        gateway.status = SILENT
        with pytest.raises(DeliveryUnknown):
            send(letter)
        assert len(gateway.received) == 1

    @pytest.mark.parametrize("behaviour", [200, 500, SILENT])
    def test_no_log_of_ours_holds_what_apprise_logs(
        self, gateway: HttpGateway, letter: Letter, behaviour: int | str, our_log: io.StringIO
    ) -> None:
        gateway.status = behaviour
        with suppress(Refused, DeliveryUnknown):
            send(letter)
        logging.getLogger("canary").info("Sing.")
        assert our_log.getvalue() == "canary Sing.\n"

    @pytest.mark.parametrize(
        "url",
        [
            f"twilio://AC{'a' * 32}:{'b' * 32}@15551230000/{{number}}",
            "vonage://a1b2c3d4:s3cr3ts3cr3ts3cr@15551230000/{number}",
            f"sns://AKIA{'A' * 16}/{'b' * 40}/us-west-2/{{number}}",
        ],
        ids=lambda url: str(url).partition(":")[0],
    )
    def test_the_number_goes_where_the_gateways_url_has_it(self, url: str) -> None:
        targets = Gateway(url)._to("+8613800138000").url()
        assert "8613800138000" in targets

    def test_a_number_that_is_not_the_gateways_is_told(self) -> None:
        with pytest.raises(ValueError, match=r"it has no \{number\}, where the phone number goes."):
            Gateway("json://127.0.0.1/sms")

    def test_a_url_that_cannot_be_read_is_not_shown(self) -> None:
        with pytest.raises(ValueError, match=r"Apprise cannot read it as a URL of 'nosuch'.") as error:
            Gateway("nosuch://hunter2@host/{number}")
        assert "hunter2" not in str(error.value)


class TestOwnFunction:
    def test_it_gets_number_and_text(self, settings: Settings, letter: Letter) -> None:
        settings.SMS_URL = f"{__name__}.own"
        sent.clear()
        send(letter)
        assert sent == [("+8613800138000", f"【authsvc】您的验证码是 {CODE}")]

    def test_whatever_it_raises_is_a_refusal_without_its_words(self, settings: Settings, letter: Letter) -> None:
        settings.SMS_URL = f"{__name__}.own_that_refuses"
        with pytest.raises(Refused) as error:
            send(letter)
        assert str(error.value) == f"{__name__}.own_that_refuses raised ConnectionError."

    @pytest.mark.parametrize(
        ("name", "wrong"), [("gone", "cannot be imported (ImportError)."), ("no_function", "is no function.")]
    )
    def test_one_that_cannot_be_called_refuses(self, settings: Settings, letter: Letter, name: str, wrong: str) -> None:
        settings.SMS_URL = f"{__name__}.{name}"
        with pytest.raises(Refused) as error:
            send(letter)
        assert str(error.value) == f"SMS_URL cannot be used: {__name__}.{name} {wrong}"


def test_without_a_gateway_a_text_is_refused(settings: Settings, letter: Letter) -> None:
    settings.SMS_URL = ""
    with pytest.raises(Refused) as error:
        send(letter)
    assert str(error.value) == "SMS_URL is not set."


def test_in_development_it_is_printed(settings: Settings, letter: Letter, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SMS_URL = "console:"
    send(letter)
    assert capsys.readouterr().out == f"---- To: +8613800138000\n【authsvc】您的验证码是 {CODE}\n----\n"
