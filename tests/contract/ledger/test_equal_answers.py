"""The model and the script answer alike, whatever happens, and what is always true stays true.

Each mutant of the script is a fault that was made once or could be: a suite that lets one live proves little.
"""

import json
from time import perf_counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sidecar.limits.redis_ledger import ledger_script
from tests.contract.ledger.world import HAPPENINGS, Happening, World, history
from tests.support.scripted import ScriptedLedger

SOAK_STEPS = 1_000_000
STEPS = 500
"""Of one history: its memory is of all that happened in it, and at its end nothing is left."""

randoms = st.randoms(use_true_random=False)
happenings = st.sampled_from([each for each, often in HAPPENINGS.items() for _ in range(round(often) or 1)])


class Machine(RuleBasedStateMachine):
    """One history, found and made short by hypothesis."""

    def __init__(self, script: ScriptedLedger) -> None:
        super().__init__()
        script.forget()
        self.world = World(script)

    @rule(happening=happenings, random=randoms)
    def happens(self, happening: Happening, random: st.DataObject) -> None:
        happening(self.world, random)  # type: ignore[arg-type]


def test_the_script_answers_as_the_model_does(script: ScriptedLedger) -> None:
    ci = settings(max_examples=40, stateful_step_count=50, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Machine(script), settings=ci)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("seed", range(8))
def test_the_script_answers_as_the_model_does_through_long_histories(
    script: ScriptedLedger, seed: int
) -> None:
    world = World(script)
    history(world, seed, STEPS)
    world.end()
    assert world.granted > 20, "the history is worth something"


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_the_script_answers_as_the_model_does_a_million_times(script: ScriptedLedger) -> None:
    exchanges = granted = largest = 0
    since = perf_counter()
    for seed in range(1_000, 1_000 + SOAK_STEPS // STEPS):
        script.forget()
        world = World(script)
        history(world, seed, STEPS)
        largest = max(largest, script.size_bytes())
        world.end()
        exchanges, granted = exchanges + world.exchanges, granted + world.granted
    figures = {
        "steps": SOAK_STEPS,
        "exchanges": exchanges,
        "granted": granted,
        "largest_bytes": largest,
        "duration_s": round(perf_counter() - since, 1),
    }
    print(json.dumps({"ledger_contract": figures}))
    assert largest < 64 << 10


MUTANTS = {
    "a refund is one bucket late": (
        "local bucket = floor(at / terms.bucket_ms) - 1",
        "local bucket = floor(at / terms.bucket_ms)",
    ),
    "a refund is dated by its arrival": ("-amount, sent - age_ms)", "-amount, now - age_ms)"),
    "the end of a lease gives back": ("Meter.book(meter, held, now)\n", "\n"),
    "a new ledger does not listen": ("wall + report.learning_ms", "wall"),
    "another run does not listen": ("= run, now + report.learning_ms", "= run, state.learning_until"),
    "a jump is no reason to look whose run it is": ("check(outcome.stepped ~= 0)", "check(false)"),
    "the clock is followed back": ("local stepped = min(0, now - state.now)", "local stepped = 0"),
    "the clock is followed ahead": ("ahead > STEP_SLACK_MS and ahead or 0", "0"),
    "the holder's clock is believed": (
        "now = wall + state.offset",
        "now = account and account.last + max(0, report.elapsed_ms) or wall",
    ),
    "a repeated entry counts again": ("max(0, account.seq - report.seq) + 1,", "1,"),
    "a bucket is dropped too soon": ("(now - terms.window_ms - terms.slack_ms)", "(now - terms.window_ms)"),
    "nothing is set aside": ("terms.on_loss == 'share' and set_aside", "terms.on_loss == 'share' and 0"),
    "any message ends a licence": (
        "  if not outcome.is_unknown then\n    Ledger.welcome()",
        "  Ledger.welcome()\n  if not outcome.is_unknown then",
    ),
    "an unknown holder is believed": ("= not account and report.seq > 0", "= false"),
    "what leaves the window stays": ("passed[#passed + 1] = fields[place]", ""),
    "a use is booked when it was": ("max(at, account.last))", "at)"),
    "the highest claim counts": ("or amount < least then", "or amount > least then"),
    "classes are served by name": ("    table.sort(times)\n", ""),
    "the least served of all is remembered when it was served": (
        "if lane == least or lane == second then",
        "if false then",
    ),
    "one that begins to wait is overlooked": ("if least ~= nil then compare(lane) end", ""),
    "limits are never forgotten": ("if Meter.is_over(meter) then", "if false then"),
    "what was carried is lost": ("meter.starts == ended and meter.carried or 0, 0", "0, 0"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_fault_in_the_script_is_found(script: ScriptedLedger, mutant: str) -> None:
    right, wrong = MUTANTS[mutant]
    text = ledger_script()
    assert text.count(right) == 1, "the script has changed: change the mutant"
    faulty = ScriptedLedger(script.client, text=text.replace(right, wrong))
    for seed in range(40):
        faulty.forget()
        world = World(faulty)
        try:
            history(world, seed, STEPS)
            world.end()
        except AssertionError:
            return
    pytest.fail("it lives")
