"""Who may administer a sidecar: asked before every call that is none of GeminiService.

The pod may, where only the pod can be: at the local listeners. A replica with the pod's SPIFFE id has the
pod's rights to models and not this one, because one that was taken over could otherwise take down all
others. So everybody else, and who narrows itself by a token, shows one with the scope of administrators.
"""

from collections.abc import Callable

from sidecar.core.audit import Occasion, administered, denied
from sidecar.core.errors import DENIALS, PermissionDenied
from sidecar.core.policy import Policy
from sidecar.core.ports import Audit
from sidecar.core.principal import Principal
from sidecar.edge.context import Context, evidence
from sidecar.edge.doors import Door


class Guard:
    """Lets administrators in at one door, and has everybody else written down."""

    def __init__(self, door: Door, scope: str, policy: Callable[[], Policy], audit: Audit) -> None:
        self._door = door
        self._scope = scope
        self._policy = policy
        self._audit = audit

    def __repr__(self) -> str:
        return f"<Guard of {self._door.name}>"

    @property
    def listener(self) -> str:
        """The name of the door."""
        return self._door.name

    async def admit(self, context: Context, method: str, request_id: str) -> Principal:
        """The administrator who calls `method`, as `Service/Method`. Raises what an Identity raises, and
        PermissionDenied.
        """
        return await self._checked(context, Occasion(self._door.name, method, request_id), self._may)

    async def turn_away(self, context: Context, method: str, request_id: str, why: str) -> None:
        """Refuse a call to whoever makes it. Raises what an Identity raises, and PermissionDenied."""

        def refuse(principal: Principal) -> None:
            raise PermissionDenied(why)

        await self._checked(context, Occasion(self._door.name, method, request_id), refuse)

    def note(self, principal: Principal, method: str, request_id: str) -> None:
        """Have it written down that an administrator did something."""
        self._audit.record(administered(Occasion(self._door.name, method, request_id), principal))

    async def _checked(
        self, context: Context, occasion: Occasion, check: Callable[[Principal], None]
    ) -> Principal:
        principal = None
        try:
            shown = evidence(context, self._door.identity.looks_at)
            principal = await self._door.identity.identify(shown, self._policy())
            check(principal)
        except DENIALS as refusal:
            self._audit.record(denied(occasion, principal, refusal))
            raise
        return principal

    def _may(self, principal: Principal) -> None:
        if principal.scopes is None and principal.is_pod and self._door.is_local:
            return
        if self._scope not in (principal.scopes or ()):
            raise PermissionDenied(
                f"{principal.id} may not administer this sidecar: show a token with scope {self._scope}",
                metadata={"scope": self._scope},
            )
