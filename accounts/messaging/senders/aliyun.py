"""Text messages by Aliyun's SMS service, which takes no text but the name of a template and its variables.

The request is signed as version 1.0 of Aliyun's RPC style says: HMAC-SHA1 over the sorted, percent-encoded parameters.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from accounts import names
from accounts.messaging.senders.base import DeliveryRefused, DeliveryUnknown, RenderedMessage, Undeliverable
from accounts.policies import GATEWAY_TIMEOUT

_CODE = re.compile(r"[\w.]{1,60}")


def signature(secret: str, parameters: Mapping[str, str], method: str) -> str:
    """Return the signature of a request's parameters (Aliyun's RPC signature, version 1.0)."""
    ordered = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(parameters.items()))
    signed = f"{method}&{_encoded('/')}&{_encoded(ordered)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), signed.encode(), hashlib.sha1).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="~")


@dataclass(frozen=True, slots=True)
class Account:
    """An Aliyun account: its access key, the signature of its text messages, and the names of its two templates.

    `code` is the template for codes, with a variable of that name; `notice` the one for notices, without variables.
    """

    key: str
    secret: str = field(repr=False)
    host: str
    sign: str
    code: str
    notice: str = ""
    connect: type[HTTPConnection] = HTTPSConnection

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `aliyun://KEY_ID:KEY_SECRET@host/?sign=…&code=…&notice=…`. Raises ValueError without the secret."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # Python's own message would show a part of the URL.
            raise ValueError("it cannot be read as a URL.") from None
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not (parts.username and parts.password and parts.hostname) or not {"sign", "code"} <= options.keys():
            raise ValueError("aliyun:// needs a key and its secret, a host, ?sign=… and &code=….")
        if unknown := options.keys() - {"sign", "code", "notice"}:
            raise ValueError(f"aliyun:// has no option {', '.join(sorted(unknown))}.")
        notice = options.get("notice", "")
        host = f"{parts.hostname}:{port}" if port else parts.hostname
        return cls(unquote(parts.username), unquote(parts.password), host, options["sign"], options["code"], notice)

    def send(self, rendered: RenderedMessage) -> None:
        """Send a code or a notice. Raises DeliveryRefused, Undeliverable and DeliveryUnknown."""
        template = self.code if rendered.code else self.notice
        if not template:
            raise Undeliverable("SMS_URL has no template for notices (&notice=…), which Aliyun requires.")
        template_parameters = {"TemplateParam": json.dumps({"code": rendered.code})} if rendered.code else {}
        number = (names.display_phone(rendered.address) or "").removeprefix("+")
        self._post({"PhoneNumbers": number, "SignName": self.sign, "TemplateCode": template, **template_parameters})

    def _post(self, request: Mapping[str, str]) -> None:
        parameters = {
            **request,
            "Action": "SendSms",
            "Version": "2017-05-25",
            "RegionId": "cn-hangzhou",
            "Format": "JSON",
            "AccessKeyId": self.key,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid.uuid4()),
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        signed = {**parameters, "Signature": signature(self.secret, parameters, "POST")}
        connection = self.connect(self.host, timeout=GATEWAY_TIMEOUT.total_seconds())
        try:
            connection.connect()
        except OSError as error:
            raise DeliveryRefused(f"Aliyun could not be reached ({type(error).__name__}).") from error
        try:
            connection.request("POST", "/", urlencode(signed), {"Content-Type": "application/x-www-form-urlencoded"})
            response = connection.getresponse()
            status, answer = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise DeliveryUnknown(
                f"Aliyun received the request and did not answer ({type(error).__name__})."
            ) from error
        finally:
            connection.close()
        _require_ok(status, answer)


def _require_ok(status: int, answer: bytes) -> None:
    """Raise DeliveryRefused for an error code of Aliyun's, DeliveryUnknown for an unreadable response."""
    try:
        code = str(json.loads(answer)["Code"])
    except (ValueError, TypeError, KeyError) as error:
        if status >= 400:
            raise DeliveryRefused(f"Aliyun answered {status}.") from error
        raise DeliveryUnknown(f"Aliyun answered {status} with an unreadable body.") from error
    if code != "OK":
        raise DeliveryRefused(f"Aliyun answered {code if _CODE.fullmatch(code) else status}.")
