import io
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pytest_django.fixtures import Settings

from accounts.messaging.senders import DeliveryRefused, DeliveryUnknown, RenderedMessage, sender_for
from accounts.messaging.senders.apprise_url import Gateway
from accounts.tests.messaging.conftest import CODE
from accounts.tests.messaging.stub_servers import CLOSES, SILENT, HttpGateway, free_port

pytestmark = pytest.mark.any_database

sent: list[tuple[str, str]] = []


def record_sms(number: str, text: str) -> None:
    sent.append((number, text))


def refuse_sms(number: str, text: str) -> None:
    raise ConnectionError(f"{number} {text}")


not_callable = 7


def send(rendered: RenderedMessage) -> None:
    sender_for("phone")(rendered)


@pytest.fixture
def root_log() -> Iterator[io.StringIO]:
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
    def test_a_json_gateway_gets_number_and_text(self, gateway: HttpGateway, rendered: RenderedMessage) -> None:
        send(rendered)
        [body] = gateway.json()
        assert (body["to"], body["message"]) == ("+8613800138000", f"【authsvc】您的验证码是 {CODE}")

    @pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
    def test_an_error_is_a_refusal(self, gateway: HttpGateway, rendered: RenderedMessage, status: int) -> None:
        gateway.status = status
        with pytest.raises(DeliveryRefused) as error:
            send(rendered)
        assert str(error.value) == f"The gateway answered {status}."

    def test_a_refused_connection_is_a_refusal(self, settings: Settings, rendered: RenderedMessage) -> None:
        settings.SMS_URL = f"json://127.0.0.1:{free_port()}/sms?:to={{number}}"
        with pytest.raises(DeliveryRefused) as error:
            send(rendered)
        assert str(error.value) == "The gateway could not be reached (ConnectionError)."

    @pytest.mark.parametrize(("behaviour", "kind"), [(SILENT, "ReadTimeout"), (CLOSES, "ConnectionError")])
    def test_no_answer_after_the_text_is_an_unknown_delivery(
        self, gateway: HttpGateway, rendered: RenderedMessage, behaviour: str, kind: str
    ) -> None:
        gateway.status = behaviour
        with pytest.raises(DeliveryUnknown) as error:
            send(rendered)
        assert str(error.value) == f"The gateway received the message and did not answer ({kind})."

    def test_a_text_is_sent_once_even_where_the_url_asks_for_retries(
        self, settings: Settings, gateway: HttpGateway, rendered: RenderedMessage
    ) -> None:
        settings.SMS_URL = f"{gateway.url}&retry=3"
        gateway.status = SILENT
        with pytest.raises(DeliveryUnknown):
            send(rendered)
        assert len(gateway.received) == 1

    @pytest.mark.parametrize("behaviour", [200, 500, SILENT])
    def test_the_root_log_holds_nothing_of_apprises(
        self, gateway: HttpGateway, rendered: RenderedMessage, behaviour: int | str, root_log: io.StringIO
    ) -> None:
        gateway.status = behaviour
        with suppress(DeliveryRefused, DeliveryUnknown):
            send(rendered)
        logging.getLogger("canary").info("Sing.")
        assert root_log.getvalue() == "canary Sing.\n"

    @pytest.mark.parametrize(
        "url",
        [
            f"twilio://AC{'a' * 32}:{'b' * 32}@15551230000/{{number}}",
            "vonage://a1b2c3d4:s3cr3ts3cr3ts3cr@15551230000/{number}",
            f"sns://AKIA{'A' * 16}/{'b' * 40}/us-west-2/{{number}}",
        ],
        ids=lambda url: str(url).partition(":")[0],
    )
    def test_the_number_replaces_its_placeholder(self, url: str) -> None:
        targets = Gateway(url)._plugin("+8613800138000").url()
        assert "8613800138000" in targets

    def test_a_url_without_the_placeholder_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"it has no \{number\} in place of the phone number."):
            Gateway("json://127.0.0.1/sms")

    def test_an_invalid_url_is_refused_without_showing_it(self) -> None:
        with pytest.raises(ValueError, match=r"Apprise cannot read it as a URL of 'nosuch'.") as error:
            Gateway("nosuch://hunter2@host/{number}")
        assert "hunter2" not in str(error.value)


class TestOwnFunction:
    def test_it_gets_number_and_text(self, settings: Settings, rendered: RenderedMessage) -> None:
        settings.SMS_URL = f"{__name__}.record_sms"
        sent.clear()
        send(rendered)
        assert sent == [("+8613800138000", f"【authsvc】您的验证码是 {CODE}")]

    def test_an_exception_is_a_refusal_without_its_text(self, settings: Settings, rendered: RenderedMessage) -> None:
        settings.SMS_URL = f"{__name__}.refuse_sms"
        with pytest.raises(DeliveryRefused) as error:
            send(rendered)
        assert str(error.value) == f"{__name__}.refuse_sms raised ConnectionError."

    @pytest.mark.parametrize(
        ("name", "wrong"), [("gone", "cannot be imported (ImportError)."), ("not_callable", "is not callable.")]
    )
    def test_a_path_that_cannot_be_called_is_a_refusal(
        self, settings: Settings, rendered: RenderedMessage, name: str, wrong: str
    ) -> None:
        settings.SMS_URL = f"{__name__}.{name}"
        with pytest.raises(DeliveryRefused) as error:
            send(rendered)
        assert str(error.value) == f"SMS_URL cannot be used: {__name__}.{name} {wrong}"


def test_without_a_gateway_a_text_is_refused(settings: Settings, rendered: RenderedMessage) -> None:
    settings.SMS_URL = ""
    with pytest.raises(DeliveryRefused) as error:
        send(rendered)
    assert str(error.value) == "SMS_URL is not set."


def test_the_console_sender_prints_the_message(
    settings: Settings, rendered: RenderedMessage, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SMS_URL = "console:"
    send(rendered)
    assert capsys.readouterr().out == f"---- To: +8613800138000\n【authsvc】您的验证码是 {CODE}\n----\n"
