"""A fleet that does everything to a ledger that a fleet can do, to the model and to the script alike.

Whatever is chosen is chosen by a Random, so that a seed is a whole history. The sidecars are honest: they
spend what they hold and tell it in order. What becomes of their messages is another matter: they are lost,
repeated, late, on either way. And now and then somebody lies.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from sidecar.core.quota import OnLoss
from sidecar.limits.ledger import Ledger
from sidecar.limits.message import Answer, Balance, Entry, Kind, Penalty, Report, Terms, Want
from tests.support.ledger import NOON
from tests.support.scripted import ScriptedLedger

LEASE_MS = 3_000
LICENCE_MS = 20_000
DAY_MS = 40_000
"""So long is a day in this world."""
QUIET_MS = 100_000_000
"""After that nothing can matter any more of what was used, held, set aside or taught."""
COUNT_METERS = """
local count = 0
for _ in pairs(cmsgpack.unpack(redis.call('HGET', KEYS[1], 'm')).meters) do count = count + 1 end
return count
"""
"""How many limits the script remembers."""
ROUNDS_MOST = 24
"""So many exchanges end all leases, or all licences, that a history can leave behind."""
NAMES = ("minute", "tokens", "day", "calls", "shadow")
AMOUNTS = (0, 1, 40, 40, 500, 500, 9_999_999_999_999)
CLASSES = ("a/batch", "a/standard", "\u00e9/standard", "b/standard")
PAUSES_MS = (0, 1, 3, 20, 90, 210, 260, 700, 1_500)
LONG_PAUSES_MS = (2_900, 3_100, 6_300, 13_000, 45_000, 130_000)
TRAVELS_MS = (0, 0, 0, 1, 1, 30, 400)
STEPS_MS = (-5_000, -300, -1, 1, 240, 300, 2_000, 10_000)


def terms_of(name: str, amount: int, wall: int) -> Terms:
    """A limit of this world as a sidecar would tell it."""
    window_ms, on_loss, calendar = 6_000, OnLoss.SHARE, ()
    if name == "day":
        start = wall - wall % DAY_MS
        window_ms, calendar = 0, (start, start + DAY_MS, start + 2 * DAY_MS)
    elif name == "tokens":
        window_ms, on_loss = 12_000, OnLoss.CLOSED
    burst = max(min(5, amount), amount // 4) if name in ("tokens", "shadow") else amount
    slack_ms = 2_000 if calendar else 250
    is_flight, is_shadow = name == "calls", name == "shadow"
    return Terms(name, amount, window_ms, 250, slack_ms, burst, is_flight, is_shadow, on_loss, calendar)


class Line(NamedTuple):
    """A change that is not acknowledged."""

    at: int
    limit: int
    amount: int
    kind: Kind


@dataclass
class Sidecar:
    """An honest holder, one incarnation after the other."""

    base: str
    names: Sequence[str]
    incarnation: int = 0
    seq: int = 0
    log: list[Line] = field(default_factory=list)
    granted: list[int] = field(default_factory=list)
    spent: list[int] = field(default_factory=list)
    acknowledged: list[Balance] = field(default_factory=list)
    answered_at: int | None = None

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Go on as a new incarnation, with nothing."""
        self.incarnation += 1
        self.seq, self.log, self.answered_at = 0, [], None
        self.granted, self.spent = [0] * len(self.names), [0] * len(self.names)
        self.acknowledged = [Balance()] * len(self.names)

    def live(self, random: Random, now: int) -> None:
        """Use some, give some back, correct some."""
        if self.answered_at is not None and now - self.answered_at >= LEASE_MS:
            self.begin()
        for limit, name in enumerate(self.names):
            held = self.granted[limit] - self.spent[limit]
            if held > 0 and random.random() < 0.7:
                kind = Kind.RETURN if name == "calls" or random.random() < 0.2 else Kind.USE
                amount = random.randint(1, held)
                self.spent[limit] += amount
                self.log.append(Line(now - random.choice((0, 5, 400)), limit, amount, kind))
            if name != "calls" and random.random() < 0.15:
                amount = random.choice((-9, -2, 3, 30))
                self.log.append(
                    Line(now - random.choice((0, 300, 2_000, 9_000)), limit, amount, Kind.CORRECTION)
                )

    def report(self, terms: Sequence[Terms], now: int, options: dict[str, object]) -> Report:
        known = [
            have._replace(granted=granted)
            for have, granted in zip(self.acknowledged, self.granted, strict=True)
        ]
        return Report(
            holder=f"{self.base}.{self.incarnation}",
            base=self.base,
            terms=terms,
            known=known,
            seq=self.seq,
            entries=[Entry(line.limit, now - line.at, line.amount, line.kind) for line in self.log],
            elapsed_ms=-1 if self.answered_at is None else now - self.answered_at,
            lease_ms=LEASE_MS,
            **options,  # type: ignore[arg-type]
        )

    def answered(self, report: Report, answer: Answer, sent_at: int) -> None:
        """Take in the answer to the report that was sent last."""
        if answer.is_unknown or report.is_leaving:
            self.begin()
            return
        for line in self.log[: len(report.entries)]:
            have = self.acknowledged[line.limit]
            if line.kind is Kind.USE:
                have = have._replace(used=have.used + line.amount)
            elif line.kind is Kind.RETURN:
                have = have._replace(returned=have.returned + line.amount)
            self.acknowledged[line.limit] = have
        del self.log[: len(report.entries)]
        self.seq += len(report.entries)
        self.granted = [max(pair) for pair in zip(self.granted, answer.granted, strict=True)]
        self.answered_at = sent_at


class World:
    """The fleet, its network and its server. Every method is something that happens."""

    def __init__(self, script: ScriptedLedger) -> None:
        self.script = script
        self.model = Ledger()
        self.exchanges = 0
        self.granted = 0
        self._now = 0
        self._skew = 0
        self._run = ""  # as where Redis does not tell
        self._amounts = dict.fromkeys(NAMES, 500)
        self._names: Sequence[str] = NAMES[:3]
        self._sidecars: list[Sidecar] = []
        self._born = 0
        self._sent: list[Report] = []
        self._saved: tuple[Ledger, list[bytes | None]] | None = None

    def pause(self, random: Random) -> None:
        """Time goes on."""
        self._now += random.choice(PAUSES_MS)

    def long_pause(self, random: Random) -> None:
        """Time goes on without a word of anybody."""
        self._now += random.choice(LONG_PAUSES_MS)

    def report(self, random: Random) -> None:
        """A sidecar reports and asks; the message or the answer may be lost."""
        sidecar = self._somebody(random)
        sidecar.live(random, self._now)
        terms = [terms_of(name, self._amounts[name], self._wall) for name in sidecar.names]
        report = sidecar.report(terms, self._now, self._options(random, terms))
        self._sent = [*self._sent[-20:], report]
        sent_at, fate = self._now, random.random()
        self._now += random.choice(TRAVELS_MS)
        if fate > 0.05:
            answer = self.exchange(report)
            if fate > 0.15:
                sidecar.answered(report, answer, sent_at)

    def repeat(self, random: Random) -> None:
        """A message comes late, or once more."""
        if self._sent:
            self.exchange(random.choice(self._sent))

    def lie(self, random: Random) -> None:
        """Somebody tells what cannot be."""
        names = random.sample(NAMES, random.randint(1, len(NAMES)))
        terms = [terms_of(name, random.choice((0, 40, 40, 1_000)), self._wall) for name in names]
        numbers = range(len(names))
        self.exchange(
            Report(
                holder=f"{random.choice('abc')}.{random.randint(1, 3)}",
                base=random.choice("abc"),
                terms=terms,
                known=[Balance(*(random.choice((0, 0, 1, 7)) for _ in range(3))) for _ in numbers],
                seq=random.choice((0, 0, 1, 5)),
                entries=[
                    Entry(
                        random.choice(numbers),
                        random.choice((0, 900, 99_000)),
                        random.choice((0, 1, 50)),
                        kind,
                    )
                    for kind in random.choices(list(Kind), k=random.randint(0, 4))
                ],
                elapsed_ms=random.choice((-1, 0, 500)),
                **self._options(random, terms),  # type: ignore[arg-type]
            )
        )

    def step(self, random: Random) -> None:
        """The server's clock jumps."""
        self._skew += random.choice(STEPS_MS)

    def redefine(self, random: Random) -> None:
        """There is another configuration; sidecars that come take its limits, all take its amounts."""
        self._names = random.sample(NAMES, random.randint(1, len(NAMES)))
        self._amounts[random.choice(NAMES)] = random.choice(AMOUNTS)

    def crash(self, random: Random) -> None:
        """A sidecar is heard no more."""
        if self._sidecars:
            self._sidecars.remove(random.choice(self._sidecars))

    def swarm(self, random: Random) -> None:
        """Many come, hold something, and are heard no more: more than one exchange can end."""
        terms = [terms_of(name, self._amounts[name], self._wall) for name in self._names]
        for _ in range(random.choice((18, 40))):
            self._born += 1
            sidecar = Sidecar(f"swarm{self._born}", self._names)
            self.exchange(sidecar.report(terms, self._now, self._options(random, terms)))

    def save(self, random: Random) -> None:
        """A replica has all that the server knows."""
        self._saved = deepcopy(self.model), self.script.save()

    def fail_over(self, random: Random) -> None:
        """Another server takes over; it may lack the last words."""
        self._run = f"run {random.randint(1, 9)}"
        if self._saved is not None and random.random() < 0.7:
            model, saved = self._saved
            self.model = deepcopy(model)
            self.script.restore(saved)

    def flush(self, random: Random) -> None:
        """The server loses everything."""
        self.model = Ledger()
        self.script.forget()

    def exchange(self, report: Report) -> Answer:
        """Tell both, and hold them to equal answers and to what is always true."""
        expected = self.model.exchange(report, self._wall, self._run)
        answer = self.script.exchange(report, self._wall, self._run)
        assert answer == expected, f"\n{answer}\n{expected}\n{report}\n{self.model!r}"
        for number, (terms, level) in enumerate(zip(report.terms, answer.levels, strict=True)):
            assert level.used >= 0 <= level.held
            granted = sum(granted.amounts[number] for granted in answer.grants)
            assert (
                terms.is_shadow
                or not granted
                or level.used + level.held <= level.limit * level.permille // 1000
            )
            self.granted += granted
        self.exchanges += 1
        return answer

    def end(self) -> None:
        """All fall silent, and nothing is left of them but what the last one says."""
        for _ in range(ROUNDS_MOST):
            self._now += QUIET_MS
            if self._last_word().holders == 1:
                break
        for _ in range(ROUNDS_MOST):  # the licences end, so many an exchange, and then what they bound
            self._now += QUIET_MS
            self._last_word()
        client, (ledger, leases, accounts, licences) = self.script.client, self.script.keys
        assert (client.zcard(leases), client.hlen(accounts), client.zcard(licences)) == (1, 1, 0)
        assert client.hlen(ledger) == 1
        assert repr(self.model).count("<Meter") == client.eval(COUNT_METERS, 1, ledger) == 1

    def _last_word(self) -> Answer:
        return self.exchange(Report("last.1", "last", [terms_of("minute", 1, self._wall)], [Balance()], 0))

    @property
    def _wall(self) -> int:
        return NOON + self._now + self._skew

    def _somebody(self, random: Random) -> Sidecar:
        if not self._sidecars or (len(self._sidecars) < 6 and random.random() < 0.1):
            self._born += 1
            self._sidecars.append(Sidecar(f"s{self._born}", self._names))
        return random.choice(self._sidecars)

    def _options(self, random: Random, terms: Sequence[Terms]) -> dict[str, object]:
        return {
            "wants": [
                self._want(random, share, len(terms))
                for share in random.sample(CLASSES, random.randint(0, 3))
            ],
            "penalties": [self._penalty(random, len(terms))] if random.random() < 0.05 else [],
            "seen": [random.choice((-1, 0, 30)) for _ in terms],
            "is_leaving": random.random() < 0.05,
            "learning_ms": random.choice((0, 0, 300)),
            "licence_ms": random.choice((0, 0, LICENCE_MS)),
            "share": random.choice((0.9, 0.5)),
            "quantum": random.choice((0.0005, 0.1)),
            "idle_share": random.choice((0.01, 0.3)),
        }

    @staticmethod
    def _want(random: Random, share: str, count: int) -> Want:
        head = [random.choice((0, 1, 1, 4)) for _ in range(count)]
        need = [each * random.choice((1, 1, 3, 20)) for each in head]
        if random.random() < 0.3:
            head = need = [0] * count
        return Want(
            share,
            random.choice((1.0, 2.0, 0.3)),
            need,
            head,
            [random.choice((0, 2, 9)) for _ in range(count)],
        )

    @staticmethod
    def _penalty(random: Random, count: int) -> Penalty:
        limit, value = random.randrange(-1, count), random.choice((-1, -1, 0, 3, 1_000))
        return Penalty(limit, random.choice((1000, 900, 500)), random.choice((0, 0, 700)), value)


Happening = Callable[[World, Random], None]
HAPPENINGS: dict[Happening, float] = {
    World.report: 60,
    World.pause: 30,
    World.repeat: 6,
    World.long_pause: 1.5,
    World.lie: 2,
    World.step: 1,
    World.redefine: 0.7,
    World.crash: 1,
    World.swarm: 0.2,
    World.save: 1,
    World.fail_over: 0.3,
    World.flush: 0.05,
}
"""What happens how often, of a hundred or so."""


def history(world: World, seed: int, steps: int) -> None:
    """Let so much happen."""
    random = Random(seed)  # noqa: S311 - a history is to be repeatable
    for happening in random.choices(list(HAPPENINGS), list(HAPPENINGS.values()), k=steps):
        happening(world, random)
