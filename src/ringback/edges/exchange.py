"""The exchange: which carrier has which leg, and through which carrier a new leg leaves.

Routing of an outbound leg (surface.md): a ``sip:`` URI is dialled directly; ``client:IDENTITY`` goes to the carrier
that has a device of that identity now, a real one before a simulated one; a number leaves through the trunk with the
longest matching prefix, else through the carrier of the setting ``RINGBACK_CARRIER``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ringback.edges.carriers import Carrier
from ringback.effects import DialLeg, LegEffect, RejectLeg, ReleaseCall
from ringback.events import CallArrived, Event, LegAnswered, LegFailed, LegRinging


class Exchange:
    """Hands every leg effect to the carrier that has the leg."""

    def __init__(
        self,
        *,
        post: Callable[[Event], None],
        default: str,
        prefixes: Mapping[str, str] | None = None,
        set_up: Callable[[str], None] = lambda call_sid: None,
    ) -> None:
        """``default`` is the carrier setting; ``prefixes`` maps a prefix (or ``*``) to a trunk's name.

        ``set_up(call_sid)`` is told when an outbound leg has had its first answer of any kind.
        """
        self._post = post
        self._set_up = set_up
        self._default = default
        self._prefixes = sorted((prefixes or {}).items(), key=lambda pair: -len(pair[0].strip("*")))
        self._carriers: dict[str, Carrier] = {}
        self._legs: dict[str, Carrier] = {}
        self.draining = False
        """True while the product stops: live calls go on, new ones are refused with 503."""
        self.refusing = False
        """True while no new call can be taken, because the database has been away for long: the caller's side may
        go elsewhere."""

    def add(self, carrier: Carrier) -> None:
        """Make a carrier known under its name."""
        self._carriers[carrier.name] = carrier

    @property
    def carriers(self) -> Sequence[Carrier]:
        """All carriers, in the order in which they were added."""
        return list(self._carriers.values())

    @property
    def legs(self) -> int:
        """Legs that are live."""
        return len(self._legs)

    def sids(self) -> list[str]:
        """The calls of those legs."""
        return list(self._legs)

    def carrier_of(self, call_sid: str) -> str | None:
        """Name of the carrier that has a leg."""
        carrier = self._legs.get(call_sid)
        return carrier.name if carrier else None

    def knows(self, call_sid: str) -> bool:
        """Whether a carrier has a leg of that call."""
        carrier = self._legs.get(call_sid)
        return carrier is not None and carrier.knows(call_sid)

    def probe(self, call_sid: str) -> bool:
        """Have the far end asked whether the call still exists; False: it need not or cannot be asked."""
        carrier = self._legs.get(call_sid)
        return carrier is not None and carrier.probe(call_sid)

    def report(self, event: Event) -> None:
        """What carriers post through: remembers whose a new inbound leg is, and hands the event on."""
        if isinstance(event, CallArrived):
            if self.draining or self.refusing:
                self._carriers[event.carrier].perform(RejectLeg(call_sid=event.call_sid, sip_code=503))
                return
            self._legs[event.call_sid] = self._carriers[event.carrier]
        elif isinstance(event, LegRinging | LegAnswered | LegFailed):
            self._set_up(event.call_sid)
        self._post(event)

    def route(self, to: str, account_sid: str = "") -> str | None:
        """Name of the carrier for an address, with ``:TRUNK`` behind it for a trunk; None: no way there."""
        if to.lower().startswith(("sip:", "sips:")):
            return "sip"
        if to.startswith("client:"):
            real_first = sorted(self._carriers.values(), key=lambda one: one.name == "simulated")
            return next((one.name for one in real_first if one.reaches(to, account_sid)), None)
        if ":" in to:
            return None  # sim: … have no carrier
        for prefix, trunk in self._prefixes:
            if prefix == "*" or to.startswith(prefix):
                return f"sip:{trunk}"
        return self._default if self._default == "simulated" else f"sip:{self._default}"

    def perform(self, effect: LegEffect) -> None:
        """Carry out an effect; for a leg that nobody has any more it is forgotten on purpose."""
        if isinstance(effect, DialLeg):
            self._dial(effect)
            return
        carrier = self._legs.get(effect.call_sid)
        if carrier is not None:
            carrier.perform(effect)

    def release(self, effect: ReleaseCall) -> None:
        """The session is over."""
        self._legs.pop(effect.call_sid, None)

    def _dial(self, effect: DialLeg) -> None:
        route = self.route(effect.to, effect.account_sid)
        carrier = self._carriers.get(route.partition(":")[0]) if route else None
        if carrier is None:
            kind = effect.to.partition(":")[0]
            reason = f"no carrier for {kind}: addresses" if route is None else "SIP is off (RINGBACK_SIP)"
            if kind == "client":
                reason = f"no device of {effect.to} is registered"
                self.report(
                    LegFailed(call_sid=effect.call_sid, sip_code=404, reason=reason, by="unregistered")
                )
            else:
                self.report(LegFailed(call_sid=effect.call_sid, sip_code=503, reason=reason, by="transport"))
            return
        self._legs[effect.call_sid] = carrier
        carrier.perform(effect)
