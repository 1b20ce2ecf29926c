import pytest

from audit.user_agents import device

pytestmark = pytest.mark.any_database

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 15; V2366A)"


@pytest.mark.parametrize(
    ("user_agent", "description"),
    [
        (f"{WINDOWS[:-1]}; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 · Windows"),
        (f"{WINDOWS} {CHROME} Safari/537.36 Edg/138.0.0.0", "Edge 138 · Windows"),
        (f"{WINDOWS} {CHROME} Safari/537.36 Core/1.94 QQBrowser/13.2.6134.400", "QQ Browser 13 · Windows"),
        (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.60(0x18003c2a) NetType/WIFI", "WeChat 8 · iOS"),
        (f"{ANDROID} {CHROME} Mobile Safari/537.36", "Chrome Mobile 138 · Android"),
        ("curl/8.14.1", "curl 8"),
        ("python-requests/2.32.4", "python-requests 2"),
    ],
)
def test_the_library_names_program_version_and_system(user_agent: str, description: str) -> None:
    assert device(user_agent) == description


@pytest.mark.parametrize(
    ("user_agent", "description"),
    [
        (f"{WINDOWS} {CHROME} Safari/537.36 QIHU 360SE", "360 Browser · Windows"),
        (f"{ANDROID} {CHROME} Mobile Safari/537.36 AliApp(DingTalk/7.6.15)", "DingTalk 7 · Android"),
        (f"{WINDOWS} {CHROME} Safari/537.36 dingtalk-win/1.0.0 DingTalk(7.0.40-Release.5)", "DingTalk 7 · Windows"),
        (
            f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {CHROME} Safari/537.36 Mobile HuaweiBrowser/5.0.4.300",
            "Huawei Browser 5 · HarmonyOS",
        ),
    ],
)
def test_our_rules_come_before_those_of_the_library(user_agent: str, description: str) -> None:
    assert device(user_agent) == description


@pytest.mark.parametrize(
    ("user_agent", "description"),
    [
        ("Firefox on a ward computer", "Firefox on a ward computer"),
        ("", ""),
        ("x" * 300, "x" * 60),
    ],
)
def test_an_unknown_user_agent_is_shown_as_it_is_and_cut_short(user_agent: str, description: str) -> None:
    assert device(user_agent) == description
