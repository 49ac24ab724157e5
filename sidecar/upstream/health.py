"""How endpoints are, each for each model, as this process has found them: facts for `rank`, no decisions."""

from math import inf

from sidecar.core.policy import Endpoint
from sidecar.core.pooling import BreakerRules
from sidecar.upstream.breaker import Breaker
from sidecar.upstream.latency import Latency

HEALTHS_MAX = 4096
"""Beyond, some are forgotten: model names may come from callers. First those of which nothing but a latency
is known; then, as a refused key opens the breaker of every name that is made up, half of the open ones.
"""


class Place:
    """An endpoint, whatever the model."""

    __slots__ = ("in_flight", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.in_flight = 0
        """Attempts open at it."""

    def __repr__(self) -> str:
        return f"<Place {self.name}: {self.in_flight} in flight>"


class Health:
    """An endpoint and a model, or no model: methods that ask none (`core.call.FREE`) are answered well by an
    endpoint whose models are all overloaded, so they say nothing of these. Times are in seconds on a clock
    that does not jump.
    """

    __slots__ = (
        "breaker",
        "has_answered",
        "in_flight",
        "model",
        "paused_until",
        "place",
        "project",
        "streamed",
        "whole",
    )

    def __init__(self, project: str, model: str, place: Place, rules: BreakerRules) -> None:
        self.project = project
        self.model = model
        self.place = place
        self.breaker = Breaker(rules)
        self.streamed = Latency()
        """Until the first content of a streamed answer."""
        self.whole = Latency()
        """Until a whole answer."""
        self.in_flight = 0
        """Attempts open at it for this model."""
        self.has_answered = False
        """Whether it ever did: there are endpoint and model."""
        self.paused_until = -inf
        """It has asked to be left alone until then."""

    def __repr__(self) -> str:
        return f"<Health of {self.key}: {self.in_flight} in flight, {self.breaker!r}>"

    @property
    def key(self) -> str:
        """What all sidecars know it by."""
        return f"{self.place.name}/{self.model}"

    @property
    def is_idle(self) -> bool:
        """Whether little would be lost by forgetting it."""
        return not self.in_flight and not self.breaker.is_open

    def latency(self, is_streamed: bool) -> Latency:
        """Of one kind of answer."""
        return self.streamed if is_streamed else self.whole

    def pause(self, seconds: float, now: float) -> None:
        """It has asked to be left alone for so long."""
        self.paused_until = max(self.paused_until, now + seconds)


class Healths:
    """All that were asked or heard of."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Health] = {}
        self._places: dict[str, Place] = {}

    def __repr__(self) -> str:
        return f"<Healths: {len(self._known)} of {len(self._places)} places>"

    def __len__(self) -> int:
        return len(self._known)

    def of(self, endpoint: Endpoint, model: str, rules: BreakerRules) -> Health:
        """The health of an endpoint for a model, or for none, made when it is asked for first."""
        known = self._known.get((endpoint.project, endpoint.location, model))
        return known or self._made(endpoint.project, endpoint.location, model, rules)

    def named(self, key: str, rules: BreakerRules) -> Health | None:
        """The health under a key that another sidecar told; None for what is no key."""
        project, _, rest = key.partition("/")
        location, slash, model = rest.partition("/")
        if not slash:
            return None
        return self._known.get((project, location, model)) or self._made(project, location, model, rules)

    def _made(self, project: str, location: str, model: str, rules: BreakerRules) -> Health:
        if len(self._known) >= HEALTHS_MAX:
            self._make_room()
        name = f"{project}/{location}"
        place = self._places.setdefault(name, Place(name))
        health = self._known[project, location, model] = Health(project, model, place, rules)
        return health

    def _make_room(self) -> None:
        """Forget what is idle, and the open ones that have waited longest for somebody to ask again; never
        those that are being asked, which the calls in flight bound.
        """
        kept = {key: health for key, health in self._known.items() if not health.is_idle}
        waiting = [key for key, health in kept.items() if not health.in_flight]
        waiting.sort(key=lambda key: kept[key].breaker.reopens_at)
        for key in waiting[: max(0, len(kept) - HEALTHS_MAX // 2)]:
            del kept[key]
        self._known = kept
        self._places = {health.place.name: health.place for health in kept.values()}
