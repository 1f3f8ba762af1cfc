"""``/mcs/v1`` and the host ``mcs.``: what the Conversations SDK and the REST API's users ask of the media store.

An application of its own beside the REST API, since files stream through it in both directions (conversations-js.md
§6). Accounts come with their credentials; people with an access token for Conversations in ``X-Twilio-Token``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast, get_args

import msgspec

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.participant import Participant
from ringback.resources.mcs.media_file import Category, MediaFile
from ringback.store import OwnershipLost, Store
from ringback.web.access import Access
from ringback.web.auth import Authenticator
from ringback.web.mcs import ticket
from ringback.web.mcs.media_store import MediaStore
from ringback.web.mcs.serving import CORS, file_answer
from ringback.web.mcs.upload import Upload
from ringback.web.rest.answer import Answer, error_answer, json_answer, send_answer
from ringback.web.rest.params import read_form
from ringback.web.rest.render import iso8601
from ringback.web.rest.rules import normal
from ringback.web.routes import Route, Rule

log = logging.getLogger("ringback.media")

SERVICE: Final = "/v1/Services/{ChatServiceSid}"
LIST: Final = SERVICE + "/Media"
ONE: Final = LIST + "/{Sid}"
SET: Final = SERVICE + "/MediaSet"
TICKET: Final = "/v1/Content/{Sid}"
PATHS: Final[Mapping[str, str]] = {
    f"POST /mcs{LIST}": (
        "Keeps a file: the raw body with its Content-Type, or a form (``multipart/form-data``) with one file. "
        "``Category``: media (default), body or history; ``Filename``. Credentials of the account, or an access token "
        "for Conversations in ``X-Twilio-Token``. What a file is, is read from its bytes. A message takes it by its "
        "SID (``MediaSid``); without one it is removed after a day."
    ),
    f"GET /mcs{ONE}": "What is known of a file, and ``links.content_direct_temporary``: its bytes for 5 minutes.",
    f"GET /mcs{ONE}/Content": "307 to its bytes.",
    f"DELETE /mcs{ONE}": "Deletes a file.",
    f"POST /mcs{SET}": 'JSON: ``{"command": "get", "list": [{"media_sid": "ME…"}]}``; what is known of several files.',
    f"GET /mcs{TICKET}": "The bytes, with ranges, for whoever has the URL, until it expires.",
}
"""For ``/docs``."""
LARGEST_SET: Final = 64 * 1024
MOST_IN_SET: Final = 100


class Asker(msgspec.Struct, frozen=True):
    """Who asks."""

    account_sid: str
    identity: str = ""
    """Of an access token; empty: the account itself."""


class MediaApplication:
    """See the module."""

    def __init__(
        self,
        media: MediaStore,
        store: Store,
        auth: Authenticator,
        access: Access,
        now: Callable[[], float],
        new_sid: Callable[[str], str],
    ) -> None:
        self._media, self._store, self._auth, self._access = media, store, auth, access
        self._now, self._new_sid = now, new_sid

    def routes(self) -> list[Route]:
        """Everything; what is by ticket needs no credentials, but a URL that we have signed."""
        found = [
            Route("OPTIONS", "/mcs" + each, Rule.OPEN) for each in (LIST, ONE, ONE + "/Content", SET, TICKET)
        ]
        for request in PATHS:
            method, _, path = request.partition(" ")
            rule = Rule.TICKET if path.endswith(TICKET) else Rule.ACCOUNT
            found += [
                Route(each, path, rule) for each in ((method, "HEAD") if method == "GET" else (method,))
            ]
        return found

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        request_id = self._new_sid("RQ")
        try:
            answer = await self._answer(scope, receive, send)
        except Refused as refusal:
            answer = error_answer(refusal, self._media.public_url)
        except OwnershipLost as lost:
            answer = error_answer(Refused(20503, str(lost), 503), self._media.public_url)
        except Exception:
            log.exception("%s: %s %s failed", request_id, scope["method"], scope["path"])
            failed = Refused(20500, "An internal server error has occurred", 500)
            answer = error_answer(failed, self._media.public_url)
        if answer is None:
            return  # a file, and it has been sent
        answer.headers += [(name.encode(), value.encode()) for name, value in CORS.items()]
        await send_answer(answer, request_id, scope, receive, send)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> Answer | None:
        path, method = scope["path"].removeprefix("/mcs"), scope["method"]
        match path.strip("/").split("/"):
            case ["v1", "Content", sid]:
                handlers: dict[str, Callable[[], Awaitable[Answer | None]]] = {
                    "GET": lambda: self._file(sid, scope, receive, send)
                }
            case ["v1", "Services", service, "Media"]:
                handlers = {"POST": lambda: self._upload(service, scope, receive)}
            case ["v1", "Services", service, "MediaSet"]:
                handlers = {"POST": lambda: self._several(service, scope, receive)}
            case ["v1", "Services", service, "Media", sid]:
                handlers = {
                    "GET": lambda: self._show(service, sid, scope),
                    "DELETE": lambda: self._delete(service, sid, scope),
                }
            case ["v1", "Services", service, "Media", sid, "Content"]:
                handlers = {"GET": lambda: self._redirect(service, sid, scope)}
            case _:
                await self._asker("", scope)
                raise _missing(path)
        if method == "OPTIONS":
            return Answer(200)
        handler = handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise Refused(20004, f"Method {method} not allowed", 405)
        return await handler()

    # --- who ---------------------------------------------------------------------------------------------

    async def _asker(self, service: str, scope: Any) -> Asker:
        """Raises ``Refused``: 401 without good credentials, 403 for an account that is not active."""
        headers = dict(scope["headers"])
        token = headers.get(b"x-twilio-token", b"").decode("latin-1")
        if not token:
            header = headers.get(b"authorization", b"").decode("latin-1")
            return Asker((await self._access.admit(header, Rule.ACCOUNT)).account.sid)
        claims = await self._auth.token(token)
        account = await self._auth.account(claims["sub"])
        if account is None or not await self._auth.active(account):
            raise Refused(20005, "Account not active", 403)
        grant, identity = claims["grants"].get("chat"), claims["grants"].get("identity")
        if not (isinstance(grant, dict) and isinstance(identity, str) and identity):
            raise Refused(20003, "The access token has no grant for Conversations", 403)
        if grant.get("service_sid") != service:
            raise Refused(20003, "The access token is for another service", 403)
        return Asker(account.sid, identity)

    async def _service(self, sid: str, scope: Any) -> tuple[Asker, str]:
        """Who asks, and the service: one of their account. Raises ``Refused``."""
        sid = normal(sid)
        asker = await self._asker(sid, scope)
        found = await self._store.get(ChatService, sid, asker.account_sid) if is_sid(sid, "IS") else None
        if found is None:
            raise _missing(scope["path"])
        return asker, sid

    async def _record(self, service: str, sid: str, scope: Any) -> tuple[Asker, MediaFile]:
        asker, service = await self._service(service, scope)
        record = await self._find(asker, service, sid)
        if record is None:
            raise _missing(scope["path"])
        return asker, record

    async def _find(self, asker: Asker, service: str, sid: str) -> MediaFile | None:
        """A file that the asker may see: the account all of the service, others their own and their conversations'."""
        sid = normal(sid)
        record = await self._store.get(MediaFile, sid, asker.account_sid) if is_sid(sid, "ME") else None
        if record is None or record.chat_service_sid != service:
            return None
        if not asker.identity or record.author == asker.identity:
            return record
        if not record.conversation_sid:
            return None
        member = await self._store.first(
            Participant, conversation_sid=record.conversation_sid, identity=asker.identity
        )
        return record if member is not None else None

    # --- what --------------------------------------------------------------------------------------------

    async def _upload(self, service: str, scope: Any, receive: Any) -> Answer:
        asker, service = await self._service(service, scope)
        query = {name: values[-1] for name, values in read_form(scope["query_string"], 100).items()}
        category = query.get("Category", "media")
        if category not in get_args(Category):
            raise Refused(20001, f"Invalid Category: write {', '.join(get_args(Category))}", 400)
        content_type = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        upload = Upload(receive, content_type, query.get("Filename", ""))
        record = await self._media.take(
            asker.account_sid, upload.pieces(), lambda: (upload.content_type, upload.filename),
            category=cast("Category", category), author=asker.identity or "system", chat_service_sid=service,
        )  # fmt: skip
        return json_answer(201, await self._body(record))

    async def _show(self, service: str, sid: str, scope: Any) -> Answer:
        _, record = await self._record(service, sid, scope)
        return json_answer(200, await self._body(record))

    async def _redirect(self, service: str, sid: str, scope: Any) -> Answer:
        _, record = await self._record(service, sid, scope)
        return Answer(307, headers=[(b"location", (await self._media.url(record)).encode())])

    async def _delete(self, service: str, sid: str, scope: Any) -> Answer:
        asker, record = await self._record(service, sid, scope)
        if asker.identity and (record.author != asker.identity or record.message_sid):
            raise Refused(20003, "Only the account may delete a file that belongs to a message", 403)
        await self._media.remove(record)
        return Answer(204)

    async def _several(self, service: str, scope: Any, receive: Any) -> Answer:
        asker, service = await self._service(service, scope)
        data = b""
        async for piece in Upload(receive, "").pieces():
            data += piece
            if len(data) > LARGEST_SET:
                raise Refused(20413, "Request entity too large", 413)
        try:
            asked = json.loads(data)
            wanted = [str(each["media_sid"]) for each in asked["list"]] if asked["command"] == "get" else None
        except (ValueError, KeyError, TypeError, RecursionError):
            wanted = None
        if wanted is None or len(wanted) > MOST_IN_SET:
            text = f'Write {{"command": "get", "list": [{{"media_sid": "ME…"}}]}} with {MOST_IN_SET} files at most'
            raise Refused(20001, text, 400)
        found: list[dict[str, Any]] = []
        for sid in wanted:
            record = await self._find(asker, service, sid)
            if record is None:
                found.append({"code": 404, "media_sid": sid[:34], "media_record": None})
            else:
                found.append({"code": 200, "media_sid": record.sid, "media_record": await self._body(record)})
        return json_answer(200, found)

    async def _file(self, sid: str, scope: Any, receive: Any, send: Any) -> None:
        """By ticket: whoever has none that is good hears the same, whether there is such a file or not."""
        sid = normal(sid)
        record = await self._store.get(MediaFile, sid) if is_sid(sid, "ME") else None
        account = await self._auth.account(record.account_sid) if record is not None else None
        secret = account.auth_token if account is not None and await self._auth.active(account) else ""
        params = read_form(scope["query_string"], 100)
        if not ticket.is_good(secret, sid, params, self._now()) or record is None:
            raise Refused(20003, "The URL is not good any more: ask for a new one", 403)
        path = self._media.files.path(sid)
        if not path.is_file():
            raise _missing(scope["path"])
        await file_answer(record, path)(scope, receive, send)

    async def _body(self, record: MediaFile) -> dict[str, Any]:
        """As the SDK reads it (conversations-js.md §6)."""
        url = f"{self._media.public_url}/mcs{LIST}/{record.sid}".replace(
            "{ChatServiceSid}", record.chat_service_sid
        )
        return {
            "sid": record.sid,
            "account_sid": record.account_sid,
            "service_sid": record.chat_service_sid,
            "channel_sid": record.conversation_sid or None,
            "message_sid": record.message_sid or None,
            "size": record.size,
            "content_type": record.content_type,
            "filename": record.filename,
            "category": record.category,
            "author": record.author,
            "date_created": iso8601(record.date_created),
            "date_updated": iso8601(record.date_updated),
            "date_upload_updated": iso8601(record.date_created),
            "is_multipart_upstream": False,
            "url": url,
            "links": {
                "content": f"{url}/Content",
                "content_direct_temporary": await self._media.url(record),
            },
        }


def _missing(path: str) -> Refused:
    return Refused(20404, f"The requested resource {path[:300]} was not found", 404)
