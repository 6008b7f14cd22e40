"""Lambda's rules of concurrency, as the pure decision and as the counting around it."""

from contextlib import ExitStack

import pytest

from lambdaimg.pool.admission import NEW_ENVIRONMENTS, SCALING_PERIOD, Admission, Reason, Share, Throttled, decide


@pytest.mark.parametrize(
    ("shares", "account", "reason"),
    [
        ({"f": Share()}, 1, None),
        ({"f": Share(running=1)}, 1, Reason.CONCURRENCY),
        ({"f": Share(), "g": Share(running=1)}, 1, Reason.CONCURRENCY),
        ({"f": Share(), "g": Share(reserved=1)}, 1, Reason.CONCURRENCY),
        ({"f": Share(), "g": Share(reserved=3, running=3)}, 4, None),
        ({"f": Share(running=1), "g": Share(reserved=3)}, 4, Reason.CONCURRENCY),
        ({"f": Share(reserved=0)}, 1_000, Reason.RESERVED),
        ({"f": Share(reserved=2, running=1)}, 1_000, None),
        ({"f": Share(reserved=2, running=2)}, 1_000, Reason.RESERVED),
        ({"f": Share(reserved=2, running=1), "g": Share(running=8)}, 10, None),
        ({"f": Share(reserved=2, provisioned=2, running=2)}, 1_000, Reason.RESERVED),
        ({"f": Share(provisioned=2, running=1), "g": Share(running=1)}, 3, None),
        ({"f": Share(provisioned=2, running=2), "g": Share()}, 2, Reason.CONCURRENCY),
        ({"f": Share(), "g": Share(provisioned=2)}, 2, Reason.CONCURRENCY),
        ({"f": Share(), "g": Share(provisioned=2, running=1)}, 3, None),
    ],
)
def test_the_decision(shares: dict[str, Share], account: int, reason: Reason | None) -> None:
    assert decide(shares, "f", account) is reason


def test_a_lease_is_given_back_whatever_happens() -> None:
    admission = Admission(account=1)
    admission.add("f", reserved=None, provisioned=0)
    with pytest.raises(ZeroDivisionError), admission.admit("f"):
        with pytest.raises(Throttled) as error:
            admission.admit("f")
        assert error.value.reason is Reason.CONCURRENCY
        raise ZeroDivisionError
    with admission.admit("f"):
        assert admission.running("f") == 1
    assert admission.running("f") == 0


def test_reserved_concurrency_can_change_while_it_runs() -> None:
    admission = Admission()
    admission.add("f", reserved=None, provisioned=0)
    admission.reserve("f", 0)
    assert (admission.reserved("f"), admission.unreserved()) == (0, 1_000)
    with pytest.raises(Throttled):
        admission.admit("f")
    admission.reserve("f", None)
    with admission.admit("f"):
        pass


def run(admission: Admission, stack: ExitStack, count: int) -> None:
    for _ in range(count):
        stack.enter_context(admission.admit("f"))


def test_a_function_grows_by_so_many_environments_in_a_period() -> None:
    now = 0.0
    admission = Admission(account=10_000, clock=lambda: now)
    admission.add("f", reserved=None, provisioned=2)
    with ExitStack() as stack:
        run(admission, stack, 2 + NEW_ENVIRONMENTS)
        with pytest.raises(Throttled) as error:
            admission.admit("f")
        assert error.value.reason is Reason.RATE
        now = SCALING_PERIOD
        run(admission, stack, NEW_ENVIRONMENTS)


def test_what_finds_an_environment_is_no_growth() -> None:
    admission = Admission(account=10_000, clock=lambda: 0.0)
    admission.add("f", reserved=None, provisioned=0)
    for _ in range(3):
        with ExitStack() as stack:
            run(admission, stack, NEW_ENVIRONMENTS)
