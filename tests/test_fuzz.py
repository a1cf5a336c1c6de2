"""No attribute, parameter, file or argument of the core ends the process; the attacks are in fuzz.py."""

import fuzz
import pytest

CASES = 800


@pytest.mark.parametrize("attack", fuzz.ATTACKS, ids=lambda attack: attack.__name__)
def test_every_attack_is_among_the_cases(attack):
    assert CASES // len(fuzz.ATTACKS) >= 100


def test_nothing_ends_the_process():
    signals, errors = fuzz.watch(0, CASES)
    assert signals == {} and errors == {}
