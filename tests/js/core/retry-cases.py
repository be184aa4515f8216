"""Writes `retry-cases.json`: how Python's tenacity waits and stops, as the retry policies of the package should.

    pip install tenacity==9.1.2
    python tests/js/core/retry-cases.py > tests/js/core/retry-cases.json

Each case is run by tenacity itself, with a sleep that moves a clock instead of sleeping. Random draws are the lowest
and the highest possible ones. `spent` is how long every attempt takes.
"""

import json
import random
import sys

import tenacity as t

MOST = 12


class Root(Exception):
    pass


class Middle(Exception):
    pass


class Outer(Exception):
    pass


def run(draws, spent, error=lambda: Outer("outer"), **policy):
    """The waits between the attempts of a function that always fails, in seconds."""
    now = [0.0]
    waits = []
    drawn = random.random, random.uniform
    random.random, random.uniform = lambda: draws, lambda lowest, highest: lowest + (highest - lowest) * draws
    clock, t.time.monotonic = t.time.monotonic, lambda: now[0]

    def sleep(seconds):
        waits.append(round(seconds, 6))
        now[0] += seconds

    def attempt():
        now[0] += spent
        raise error()

    policy.setdefault("stop", t.stop_after_attempt(MOST))
    policy["stop"] = t.stop_any(policy["stop"], t.stop_after_attempt(MOST))
    try:
        t.Retrying(sleep=sleep, **policy)(attempt)
    except (t.RetryError, Outer):
        pass
    finally:
        random.random, random.uniform = drawn
        t.time.monotonic = clock
    return waits


def case(name, spent=0.0, **policy):
    return {"name": name, "spent": spent, "low": run(0, spent, **policy), "high": run(1, spent, **policy)}


def caused():
    error, middle = Outer("outer"), Middle("middle")
    middle.__cause__ = Root("root")
    error.__cause__ = middle
    return error


CASES = [
    case("none", wait=t.wait_none()),
    case("fixed", wait=t.wait_fixed(2.5)),
    case("random", wait=t.wait_random(1, 3)),
    case("incrementing", wait=t.wait_incrementing(start=1, increment=3, max=20)),
    case("exponential", wait=t.wait_exponential(multiplier=0.5, exp_base=3, max=60)),
    case("exponential jitter", wait=t.wait_exponential_jitter(initial=1, max=60, jitter=1)),
    case("exponential jitter, wide", wait=t.wait_exponential_jitter(initial=0.25, max=9, exp_base=1.5, jitter=4)),
    case("random exponential", wait=t.wait_random_exponential(multiplier=1, max=60)),
    case("random exponential, min", wait=t.wait_random_exponential(multiplier=0.5, max=30, min=3)),
    case("chain", wait=t.wait_chain(t.wait_fixed(1), t.wait_fixed(2), t.wait_exponential_jitter(4, 10))),
    case("sum", wait=t.wait_fixed(3) + t.wait_random(0, 2)),
    case("stop after attempt", wait=t.wait_fixed(1), stop=t.stop_after_attempt(4)),
    case("stop after delay", spent=0.5, wait=t.wait_fixed(2), stop=t.stop_after_delay(7)),
    case("stop after delay, on the dot", wait=t.wait_fixed(2), stop=t.stop_after_delay(6)),
    case("stop before delay", spent=0.5, wait=t.wait_fixed(2), stop=t.stop_before_delay(7)),
    case("stop before delay, on the dot", wait=t.wait_fixed(2), stop=t.stop_before_delay(6)),
    case("stop before delay, growing", spent=0.25, wait=t.wait_exponential(), stop=t.stop_before_delay(20)),
    case("stop any", wait=t.wait_fixed(2), stop=t.stop_any(t.stop_before_delay(9), t.stop_after_attempt(3))),
    case("stop all", wait=t.wait_fixed(2), stop=t.stop_all(t.stop_before_delay(9), t.stop_after_attempt(3))),
    case("stop never", wait=t.wait_fixed(2), stop=t.stop_never),
    case("retry always", wait=t.wait_fixed(1), retry=t.retry_always),
    case("retry never", wait=t.wait_fixed(1), retry=t.retry_never),
    case("retry on type", wait=t.wait_fixed(1), retry=t.retry_if_exception_type(Outer), error=caused),
    case("retry on other type", wait=t.wait_fixed(1), retry=t.retry_if_exception_type(Root), error=caused),
    case("retry unless type", wait=t.wait_fixed(1), retry=t.retry_if_not_exception_type(Outer), error=caused),
    case("retry on cause", wait=t.wait_fixed(1), retry=t.retry_if_exception_cause_type(Middle), error=caused),
    case("retry on inner cause", wait=t.wait_fixed(1), retry=t.retry_if_exception_cause_type(Root), error=caused),
    case("retry on cause, itself", wait=t.wait_fixed(1), retry=t.retry_if_exception_cause_type(Outer), error=caused),
    case("retry on message", wait=t.wait_fixed(1), retry=t.retry_if_exception_message(match="out"), error=caused),
    case("retry not on message", wait=t.wait_fixed(1), retry=t.retry_if_not_exception_message(match="out")),
]

json.dump({"tenacity": "9.1.2", "attempts": MOST, "cases": CASES}, sys.stdout, indent=1)
sys.stdout.write("\n")
