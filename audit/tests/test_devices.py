import pytest

from audit.devices import device

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android 15; V2366A)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{_WINDOWS[:-1]}; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 · Windows"),
        (f"{_WINDOWS} {_CHROME} Safari/537.36", "Chrome 138 · Windows"),
        (f"{_WINDOWS} {_CHROME} Safari/537.36 Edg/138.0.0.0", "Edge 138 · Windows"),
        (f"{_WINDOWS} {_CHROME} Safari/537.36 QIHU 360SE", "360 Browser · Windows"),
        (f"{_WINDOWS} {_CHROME} Safari/537.36 Core/1.94 QQBrowser/13.2.6134.400", "QQ Browser 13 · Windows"),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11 · Windows"),
        (f"{_IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari 18 · iPhone"),
        (f"{_IPHONE} Mobile/15E148 MicroMessenger/8.0.60(0x18003c2a) NetType/WIFI", "WeChat 8 · iPhone"),
        (f"{_ANDROID} {_CHROME} Mobile Safari/537.36", "Chrome 138 · Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 · Linux"),
        ("curl/8.14.1", "curl 8"),
        ("python-requests/2.32.4", "Python 2"),
        ("Firefox on a ward computer", "Firefox on a ward computer"),
        ("", ""),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_user_agent_is_shown_as_program_and_system(user_agent: str, words: str) -> None:
    assert device(user_agent) == words
