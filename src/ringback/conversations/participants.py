"""Participants: added, changed, removed (conversations.md §1, §1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ringback.conversations import calls, checks
from ringback.conversations.rights import require
from ringback.conversations.work import Work
from ringback.effects import Answer
from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import MessagingBinding, Participant, pair_of, wanted_pair
from ringback.resources.conversations.user import User

MOST = 1000
"""Participants of a conversation."""
MOST_ADDRESSES = 50
"""Those of them who are reached by a carrier."""
_ROLE = re.compile(r"RL[0-9a-fA-F]{32}\Z")


def create(work: Work) -> None:
    """Add one; answered by the record."""
    event: ConversationWriteRequested = work.event
    made = next((each for each in work.participants if each.sid == event.sid), None)
    if made is None:
        joins = event.values.get("identity") == work.identity
        require(work, "Participant", "create", joins=joins)
        made = add(work, event.values, event.sid)
    work.effects.append(Answer(value=made))


def add(work: Work, values: Mapping[str, Any], sid: str) -> Participant:
    """The new participant, checked against those who are there."""
    conversation = work.conversation
    if conversation.state == "closed":
        raise Refused(50377, "The conversation is closed, so nobody can be added", 400)
    participant = Participant(
        sid=sid,
        account_sid=conversation.account_sid,
        date_created=values.get("date_created") or work.now,
        date_updated=values.get("date_updated") or work.now,
        chat_service_sid=conversation.chat_service_sid,
        conversation_sid=conversation.sid,
        identity=_identity(values),
        role_sid=_role(work, values),
        attributes=checks.attributes(values.get("attributes")),
    )
    _bind(work, participant, values)
    _not_twice(work, participant)
    if len(work.participants) >= MOST:
        raise Refused(50417, f"The conversation has {MOST} participants already", 400)
    if participant.address and sum(each.address is not None for each in work.participants) >= MOST_ADDRESSES:
        raise Refused(
            50422, f"The conversation has {MOST_ADDRESSES} participants with addresses already", 400
        )
    work.participants.append(participant)
    work.save(participant)
    if participant.identity:
        _user(work, participant.identity, values)
    work.tell("onParticipantAdded", participant)
    if participant.identity:
        calls.worker_joined(work, participant.identity)
    return participant


def update(work: Work) -> None:
    """Attributes, role, how far they have read, and the addresses of ours."""
    values = work.event.values
    participant = _target(work).copy()
    if work.conversation.state == "closed":
        raise Refused(50377, "The conversation is closed, so its participants cannot be changed", 400)
    require(work, "Participant", "update", values, own=participant.identity == work.identity)
    if (
        "identity" in values
        and values["identity"]
        and participant.identity is None
        and not participant.address
    ):
        participant.identity = _identity(values)
    if "attributes" in values:
        participant.attributes = checks.attributes(values["attributes"])
    if "role_sid" in values:
        participant.role_sid = _role(work, {"identity": participant.identity, **values})
    if "notification_level" in values:
        if values["notification_level"] not in ("default", "muted"):
            raise Refused(20001, "Invalid NotificationLevel: must be default or muted", 400)
        participant.notification_level = values["notification_level"]
    if "last_read_message_index" in values:
        participant.last_read_message_index = _read_index(work, values["last_read_message_index"])
    if "last_read_timestamp" in values:
        participant.last_read_timestamp = values["last_read_timestamp"]
    elif values.get("last_read_message_index") is not None:
        participant.last_read_timestamp = work.now
    if "proxy_address" in values or "projected_address" in values:
        binding = dict(participant.messaging_binding or {})
        names = ("proxy_address", "projected_address")
        _bind(work, participant, binding | {name: values[name] for name in names if name in values})
        _not_twice(work, participant)
    participant.date_updated = values.get("date_updated") or max(work.now, participant.date_updated + 1e-6)
    work.save(participant)
    work.tell("onParticipantUpdated", participant)
    work.effects.append(Answer(value=participant))


def delete(work: Work) -> None:
    """Remove one: their address may be used elsewhere from now on."""
    participant = _target(work)
    require(work, "Participant", "delete", own=participant.identity == work.identity)
    work.delete(participant)
    work.tell("onParticipantRemoved", participant, {"date_removed": work.now})


def release(work: Work) -> None:
    """The conversation is closed: its pairs are free for another one (§1.2)."""
    for place, each in enumerate(work.participants):
        if each.pair is not None:
            work.participants[place] = free = each.copy()
            free.pair = None
            work.save(free)


def elsewhere(work: Work, brought: Iterable[Mapping[str, Any]]) -> str:
    """The open conversation that has the pair of one of these; empty: none has."""
    taken: Mapping[str, Participant] = work.known.get("taken", {})
    for values in brought:
        holder = taken.get(wanted_pair(work.account_sid, values))
        if holder is not None:
            return holder.conversation_sid
    return ""


def _target(work: Work) -> Participant:
    found: Participant | None = next((each for each in work.participants if each.sid == work.event.sid), None)
    if found is None:
        raise Refused(20404, f"The participant {work.event.sid} was not found", 404)
    return found


def _identity(values: Mapping[str, Any]) -> str | None:
    return checks.text({"identity": values.get("identity")}, "identity", checks.NAME, "Identity")


def _role(work: Work, values: Mapping[str, Any]) -> str | None:
    """A role of a conversation in this service; somebody new with an identity has the service's default."""
    text = values.get("role_sid")
    if not text:
        defaults: Mapping[str, str] = work.known.get("roles", {})
        own = bool(values.get("identity")) and values.get("identity") == work.conversation.created_by
        return defaults.get("creator" if own else "participant") if values.get("identity") else None
    if not _ROLE.match(str(text)):
        raise Refused(20001, "Invalid RoleSid: must be RL and 32 hex digits", 400)
    sid = "RL" + str(text)[2:].lower()
    if sid not in work.known.get("given_roles", ()):
        raise Refused(50100, f"RoleSid: there is no role {sid} of a conversation in this service", 400)
    return sid


def _bind(work: Work, participant: Participant, values: Mapping[str, Any]) -> None:
    """Read the binding: an address with ours, or (group texts) an address of ours that stands for an identity."""
    given = {name: values.get(name) or None for name in ("address", "proxy_address", "projected_address")}
    address, proxy, projected = given.values()
    participant.address = participant.pair = participant.messaging_binding = None
    if address is None and projected is None:
        if proxy is not None:
            raise Refused(50407, "MessagingBinding.Address is missing", 400)
        if participant.identity is None:
            raise Refused(20001, "Identity, or MessagingBinding.Address and ProxyAddress, must be given", 400)
        return
    if address is not None and (participant.identity is not None or projected is not None):
        raise Refused(20001, "A participant has an Identity or a MessagingBinding.Address, not both", 400)
    if address is None:
        projected = checks.address(projected, 50408, "MessagingBinding.ProjectedAddress")
        channel = checks.channel_of(projected)
        participant.messaging_binding = _binding(values, channel, projected_address=projected)
        return
    if values.get("spoken"):
        _speak(work, participant, values)
        return
    address = checks.address(address, 50407, "MessagingBinding.Address")
    if proxy is None:
        proxy, shown = _projected(work), None
        if proxy is None:
            raise Refused(50412, "MessagingBinding.ProxyAddress is missing", 400)
    else:
        shown = proxy = checks.address(proxy, 50408, "MessagingBinding.ProxyAddress")
    if address == proxy:
        raise Refused(50409, "MessagingBinding.Address and ProxyAddress are the same", 400)
    channel = checks.channel_of(address)
    if channel != checks.channel_of(proxy):
        raise Refused(50414, "MessagingBinding.Address and ProxyAddress are of different channels", 400)
    participant.messaging_binding = _binding(values, channel, address=address, proxy_address=shown)
    participant.address, participant.pair = address, pair_of(work.account_sid, address, proxy)


def _speak(work: Work, participant: Participant, values: Mapping[str, Any]) -> None:
    """A caller: found by their number or SIP address; one who withholds it is found by nothing."""
    address, proxy = str(values["address"])[: checks.ADDRESS], str(values["proxy_address"])[: checks.ADDRESS]
    participant.messaging_binding = MessagingBinding(type="sms", address=address, proxy_address=proxy)
    participant.address = address
    participant.pair = None if values.get("alone") else pair_of(work.account_sid, address, proxy)


def _binding(values: Mapping[str, Any], channel: str, **addresses: str | None) -> MessagingBinding:
    level, name = values.get("binding_level"), values.get("binding_name")
    if channel == "sms" and (level or name):
        raise Refused(50420, "MessagingBinding.Name and Level are for e-mail", 400)
    return MessagingBinding(
        type=channel,
        address=addresses.get("address"),
        proxy_address=addresses.get("proxy_address"),
        projected_address=addresses.get("projected_address"),
        level=level,
        name=name,
    )


def _projected(work: Work) -> str | None:
    """The address that stands for somebody in a group text, which all without a proxy address write to."""
    for each in work.participants:
        projected = (each.messaging_binding or {}).get("projected_address")
        if projected:
            return projected
    return None


def _not_twice(work: Work, participant: Participant) -> None:
    """Nobody is there twice, and a pair is in one open conversation (§1.1); the database's unique keys stand behind."""
    for each in work.participants:
        if each.sid == participant.sid:
            continue
        if participant.identity is not None and each.identity == participant.identity:
            raise Refused(50433, f"The participant {participant.identity} is there already ({each.sid})", 409)
        if participant.pair is not None and each.pair == participant.pair:
            raise _taken(each)
    holder: Participant | None = work.known.get("taken", {}).get(participant.pair)
    if holder is not None and holder.sid != participant.sid:
        raise _taken(holder)


def _taken(holder: Participant) -> Refused:
    return Refused(
        50416,
        f"A binding for this participant and proxy address already exists in Conversation {holder.conversation_sid}",
        409,
    )


def _user(work: Work, identity: str, values: Mapping[str, Any]) -> None:
    """Whoever is added has a user of the service, made now if there was none; that of a visitor is no worker's."""
    conversation: Conversation = work.conversation
    if identity in work.known.get("users", ()):
        return
    user = User(
        sid=work.new_sid("US"), account_sid=conversation.account_sid, date_created=work.now,
        date_updated=work.now, chat_service_sid=conversation.chat_service_sid, identity=identity,
        role_sid=work.known.get("roles", {}).get("user"), friendly_name=values.get("friendly_name") or None,
        state="deactivated" if values.get("visitor") else "active",
    )  # fmt: skip
    work.save(user)
    work.tell("onUserAdded", user)


def _read_index(work: Work, value: Any) -> int | None:
    if value in (None, ""):
        return None
    if not isinstance(value, int) or value < 0:
        raise Refused(20001, "Invalid LastReadMessageIndex: must be a whole number from 0", 400)
    if value >= max(1, work.conversation.next_index):
        raise Refused(20001, "Invalid LastReadMessageIndex: there is no such message yet", 400)
    return value
