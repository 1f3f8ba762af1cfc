"""An inbound text of a customer → its message is stored in their conversation and the webhook is queued (SQLite).

The product runs in this process as ``ringback serve`` runs it, with its writer process; texts come at a steady rate,
whether or not those before them are done, from 500 customers each with a conversation and a webhook. What sends the
texts, and sends the webhooks to an application in a process of its own, works beside it in the same process.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers.audio import quantile
from benchmarks.server import free_port
from ringback.app import Ringback, build
from ringback.effects import Save, SendWebhook
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant, pair_of
from ringback.resources.conversations.webhook import Webhook
from ringback.settings import load

NUMBER = "+15550100999"
CUSTOMERS = 500
RATES = (50, 100, 200)
WANTED_MS = 20.0


def measure(quick: bool) -> list[Figure]:
    """The curve over messages a second."""
    return uvloop.run(_measure(3.0 if quick else 30.0))


async def _measure(seconds: float) -> list[Figure]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.webapp", str(port)]
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
        application = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        flags = {
            "http": f"127.0.0.1:{free_port()}",
            "sip": "off",
            "data_dir": Path(folder),
            "default_number": "",
        }
        product = await build(load(environ={}, file=Path(os.devnull), flags=flags))
        try:
            await product.start()
            await _fill(product, f"http://127.0.0.1:{port}/status")
            await _at(product, 20, 2.0)  # caches and code are warm
            found = [await _at(product, rate, seconds) for rate in RATES]
        finally:
            await product.stop()
            application.kill()
            await application.wait()
    where = f"inbound text → stored, webhook queued, at {' / '.join(map(str, RATES))} a second"
    lost = " / ".join(str(missing) for _, missing, _ in found)
    figures = [Figure(f"{where}: not stored", lost, "texts", "wanted: none")]
    spent = " / ".join(f"{1000 * used:.1f}" for _, _, used in found)
    figures.append(
        Figure(f"{where}: CPU of the main process a text", spent, "ms", "at 200 a second 5 ms are all")
    )
    for part in (0.5, 0.99):
        values = " / ".join(f"{1000 * quantile(times, part):.1f}" for times, _, _ in found)
        figures.append(
            Figure(
                f"{where}: p{100 * part:.0f}",
                values,
                "ms",
                f"wanted: p99 ≤ {WANTED_MS:.0f} ms at 200 a second",
            )
        )
    return figures


async def _fill(product: Ringback, url: str) -> None:
    account, new_sid = product.account_sid, product.new_sid
    service = ChatService(sid=new_sid("IS"), account_sid=account, friendly_name="bench")
    number = IncomingPhoneNumber(sid=new_sid("PN"), account_sid=account, phone_number=NUMBER)
    writes: list[Any] = [Save(service), Save(number)]
    for index in range(CUSTOMERS):
        common = {"account_sid": account, "chat_service_sid": service.sid}
        thread = Conversation(sid=new_sid("CH"), **common)
        writes += [
            Save(thread),
            Save(
                Participant(
                    sid=new_sid("MB"), conversation_sid=thread.sid, address=_customer(index),
                    messaging_binding={"type": "sms", "address": _customer(index), "proxy_address": NUMBER},
                    pair=pair_of(account, _customer(index), NUMBER), **common,
                )
            ),
            Save(
                Webhook(
                    sid=new_sid("WH"), conversation_sid=thread.sid, target="webhook",
                    configuration={"url": url, "method": "POST", "filters": ["onMessageAdded"]}, **common,
                )
            ),
        ]  # fmt: skip
    await product.store.commit(writes)


def _customer(index: int) -> str:
    return f"+1555200{index:04d}"


async def _at(product: Ringback, rate: int, seconds: float) -> tuple[list[float], int, float]:
    """Ascending seconds from the arrival to the commit that has message and webhook; how many never came; seconds of
    this process's CPU a text."""
    clock = time.perf_counter
    begun: dict[str, float] = {}
    times: list[float] = []
    add = product.outbox.add

    def noted(rows: Any, *more: Any) -> None:
        for row in rows:
            if isinstance(row.what, SendWebhook):
                body = dict(row.what.params).get("Body", "")
                if body in begun:
                    times.append(clock() - begun.pop(body))
        add(rows, *more)

    product.outbox.add = noted  # type: ignore[method-assign]
    running: set[asyncio.Task[str]] = set()
    start, count, used = clock(), int(rate * seconds), time.process_time()
    for index in itertools.islice(itertools.count(), count):
        await asyncio.sleep(max(0.0, start + index / rate - clock()))
        body = f"message {rate} {index}"
        begun[body] = clock()
        arriving = product.texting.office.arrived(
            "simulated", from_=_customer(index * 7 % CUSTOMERS), to=NUMBER, body=body
        )
        task = asyncio.ensure_future(arriving)
        running.add(task)
        task.add_done_callback(running.discard)
    for _ in range(500):
        if not begun:
            break
        await asyncio.sleep(0.01)
    product.outbox.add = add  # type: ignore[method-assign]
    return sorted(times), len(begun), (time.process_time() - used) / count
