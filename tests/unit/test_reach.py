"""Who may call a Runtime API."""

import pytest

from lambdaimg.runtime.reach import Reach


@pytest.mark.parametrize(
    ("listen", "name", "caller"),
    [("172.17.0.1", "172.17.0.1", "172.17.0.5"), ("127.0.0.1", "host.docker.internal", "")],
)
def test_a_virtual_machine_hands_calls_on_from_an_address_of_its_own(listen: str, name: str, caller: str) -> None:
    assert Reach(listen=listen, name=name).caller("172.17.0.5") == caller
