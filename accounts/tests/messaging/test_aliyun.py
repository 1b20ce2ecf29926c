from dataclasses import replace
from http.client import HTTPConnection

import pytest

from accounts.messaging.senders import DeliveryRefused, DeliveryUnknown, RenderedMessage, Undeliverable
from accounts.messaging.senders.aliyun import Account, signature
from accounts.tests.messaging.conftest import CODE
from accounts.tests.messaging.stub_servers import CLOSES, SILENT, HttpGateway, free_port

pytestmark = pytest.mark.any_database

URL = "aliyun://LTAI:se%2Fcret@dysmsapi.aliyuncs.com/?sign=%E5%8D%8F%E5%92%8C&code=SMS_1&notice=SMS_2"


@pytest.fixture
def account(gateway: HttpGateway) -> Account:
    gateway.body = b'{"Code": "OK", "Message": "OK", "BizId": "1"}'
    return replace(Account.from_url(URL), host=gateway.host, connect=HTTPConnection)


def test_the_signature_is_that_of_aliyuns_published_example() -> None:
    parameters = {
        "AccessKeyId": "testId",
        "Action": "SendSms",
        "Format": "XML",
        "OutId": "123",
        "PhoneNumbers": "15300000001",
        "RegionId": "cn-hangzhou",
        "SignName": "阿里云短信测试专用",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466",
        "SignatureVersion": "1.0",
        "TemplateCode": "SMS_71390007",
        "TemplateParam": '{"customer":"test"}',
        "Timestamp": "2017-07-12T02:42:19Z",
        "Version": "2017-05-25",
    }
    assert signature("testSecret", parameters, "GET") == "zJDF+Lrzhj/ThnlvIToysFRq6t4="


def test_a_url_is_parsed_as_an_account() -> None:
    assert Account.from_url(URL) == Account("LTAI", "se/cret", "dysmsapi.aliyuncs.com", "协和", "SMS_1", "SMS_2")


@pytest.mark.parametrize(
    "url",
    [
        "aliyun://dysmsapi.aliyuncs.com/?sign=a&code=b",
        "aliyun://LTAI:hunter2@dysmsapi.aliyuncs.com/?code=b",
        "aliyun://LTAI:hunter2@dysmsapi.aliyuncs.com/?sign=a&code=b&colour=c",
        "aliyun://LTAI:hunter2@[dysmsapi/?sign=a&code=b",
        "aliyun://LTAI:x@host:hunter2/?sign=a&code=b",
    ],
)
def test_an_invalid_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"aliyun://|cannot be read") as error:
        Account.from_url(url)
    assert "hunter2" not in str(error.value)


def test_the_secret_is_not_in_the_repr() -> None:
    assert "se/cret" not in repr(Account.from_url(URL))


def test_a_code_is_sent_with_its_template_and_signed(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage
) -> None:
    account.send(rendered)
    [form] = gateway.forms()
    given = form.pop("Signature")
    assert given == signature("se/cret", form, "POST")
    chance = {name: form.pop(name) for name in ("SignatureNonce", "Timestamp")}
    assert all(chance.values())
    assert form == {
        "AccessKeyId": "LTAI",
        "Action": "SendSms",
        "Format": "JSON",
        "PhoneNumbers": "13800138000",
        "RegionId": "cn-hangzhou",
        "SignName": "协和",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "TemplateCode": "SMS_1",
        "TemplateParam": f'{{"code": "{CODE}"}}',
        "Version": "2017-05-25",
    }


def test_each_request_has_its_own_nonce(gateway: HttpGateway, account: Account, rendered: RenderedMessage) -> None:
    account.send(rendered)
    account.send(rendered)
    assert len({form["SignatureNonce"] for form in gateway.forms()}) == 2


def test_a_foreign_number_has_its_country_code(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage
) -> None:
    account.send(replace(rendered, address="+85261234567"))
    assert gateway.forms()[0]["PhoneNumbers"] == "85261234567"


def test_a_notice_has_a_template_without_variables(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage
) -> None:
    account.send(replace(rendered, code=""))
    [form] = gateway.forms()
    assert form["TemplateCode"] == "SMS_2"
    assert "TemplateParam" not in form


def test_a_notice_without_a_template_is_undeliverable(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage
) -> None:
    with pytest.raises(Undeliverable) as error:
        replace(account, notice="").send(replace(rendered, code=""))
    assert str(error.value) == "SMS_URL has no template for notices (&notice=…), which Aliyun requires."
    assert gateway.received == []


@pytest.mark.parametrize("status", [200, 400, 500])
def test_aliyuns_error_is_a_refusal(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage, status: int
) -> None:
    gateway.status, gateway.body = status, b'{"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "13800138000"}'
    with pytest.raises(DeliveryRefused) as error:
        account.send(rendered)
    assert str(error.value) == "Aliyun answered isv.BUSINESS_LIMIT_CONTROL."


def test_an_error_page_is_a_refusal(gateway: HttpGateway, account: Account, rendered: RenderedMessage) -> None:
    gateway.status, gateway.body = 502, b"<html>"
    with pytest.raises(DeliveryRefused) as error:
        account.send(rendered)
    assert str(error.value) == "Aliyun answered 502."


def test_an_unreadable_response_is_an_unknown_delivery(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage
) -> None:
    gateway.body = b"[]"
    with pytest.raises(DeliveryUnknown) as error:
        account.send(rendered)
    assert str(error.value) == "Aliyun answered 200 with an unreadable body."


@pytest.mark.parametrize(("behaviour", "kind"), [(SILENT, "TimeoutError"), (CLOSES, "RemoteDisconnected")])
def test_a_missing_response_is_an_unknown_delivery(
    gateway: HttpGateway, account: Account, rendered: RenderedMessage, behaviour: str, kind: str
) -> None:
    gateway.status = behaviour
    with pytest.raises(DeliveryUnknown) as error:
        account.send(rendered)
    assert str(error.value) == f"Aliyun received the request and did not answer ({kind})."


def test_a_refused_connection_is_a_refusal(account: Account, rendered: RenderedMessage) -> None:
    with pytest.raises(DeliveryRefused) as error:
        replace(account, host=f"127.0.0.1:{free_port()}").send(rendered)
    assert str(error.value) == "Aliyun could not be reached (ConnectionRefusedError)."
