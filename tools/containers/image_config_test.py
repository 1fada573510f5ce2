"""An image's configuration, and what is said of a mistake in it."""

from typing import Any

import pytest

from tools.containers.accounts import Accounts
from tools.containers.contents import FILE, SYMLINK, Entry
from tools.containers.image_config import Spec, check_program, container_config
from tools.containers.tree import Placed
from tools.lib.errors import UserError

ACCOUNTS = Accounts({"root": (0, 0), "redis": (100, 101)}, {"root": 0, "redis": 101, "mail": 8})
TREE = {
    path: Placed(entry, "layer")
    for path, entry in {
        "bin": Entry("bin", SYMLINK, target="usr/bin"),
        "usr/bin/a": Entry("usr/bin/a", FILE, 0o755),
        "etc/conf": Entry("etc/conf", FILE, 0o644),
    }.items()
}


def test_the_base_holds_where_nothing_else_is_said() -> None:
    base = container_config("//x", Spec(entrypoint=["/a"], cmd=["b"], env={"A": "1"}, ports=["1"]), None, {})
    assert container_config("//x", Spec(), None, base) == base
    above = container_config("//x", Spec(entrypoint=["/c"], env={"B": "2=3"}, ports=["2/udp"]), None, base)
    assert above["Entrypoint"] == ["/c"]
    assert "Cmd" not in above
    assert {"A=1", "B=2=3"} < set(above["Env"])
    assert above["ExposedPorts"] == {"1/tcp": {}, "2/udp": {}}


def test_users_become_numbers() -> None:
    assert container_config("//x", Spec(user="redis"), ACCOUNTS, {})["User"] == "100:101"
    assert container_config("//x", Spec(user="redis:mail"), ACCOUNTS, {})["User"] == "100:8"
    assert container_config("//x", Spec(user="7"), ACCOUNTS, {})["User"] == "7:7"
    assert container_config("//x", Spec(user="7:8"), None, {})["User"] == "7:8"


def test_a_health_check_s_times_are_nanoseconds() -> None:
    spec = Spec(health_check=["/a", "b"], health_seconds={"Interval": 5, "Timeout": 0}, health_retries=2)
    wanted = {"Test": ["CMD", "/a", "b"], "Interval": 5_000_000_000, "Retries": 2}
    assert container_config("//x", spec, None, {})["Healthcheck"] == wanted


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"user": "web"}, r"//x: user: there is no user 'web' \(there are: redis, root\)"),
        ({"env": {"A B": ""}}, "//x: env: 'A B' is no name of a variable"),
        ({"ports": ["70000"]}, "//x: ports: '70000' is no port; expected one like 6379 or 53/udp"),
        ({"ports": ["http"]}, "'http' is no port"),
        ({"volumes": ["data"]}, "//x: volumes: 'data' is no absolute path"),
        ({"workdir": "data"}, "//x: workdir: 'data' is no absolute path"),
        ({"stop_signal": "SIGSTOPP"}, "//x: stop_signal: there is no 'SIGSTOPP'; choose one of: SIGABRT, "),
    ],
)
def test_mistakes_are_named(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        container_config("//x", Spec(**spec), ACCOUNTS, {})


def test_a_user_without_accounts() -> None:
    with pytest.raises(UserError, match="//x: user: no layer says who 'redis' is; add a package_layer"):
        container_config("//x", Spec(user="redis"), None, {})


def test_the_program_is_there() -> None:
    check_program("//x", {"Entrypoint": ["/bin/a"]}, TREE)
    check_program("//x", {"Cmd": ["/usr/bin/a", "b"]}, TREE)
    for config, message in (
        ({}, "nothing says what the container starts"),
        ({"Cmd": ["a"]}, "'a' is no absolute path; give the program's, such as /usr/bin/a"),
        ({"Cmd": ["/bin/b"]}, "no layer has the program /bin/b"),
        ({"Cmd": ["/etc/conf"]}, "/etc/conf has mode 0644 and can't be executed"),
    ):
        with pytest.raises(UserError, match=message):
            check_program("//x", config, TREE)
