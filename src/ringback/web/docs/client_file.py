"""The two files that the Python and Node examples import: the official client, pointed at this server.

They are the five-line hook of ``examples/client_hook.*`` with the server's address filled in; the secret comes from the
environment of whoever runs them.
"""

from __future__ import annotations

import json

PYTHON_NAME = "ringback_client.py"
NODE_NAME = "ringback_client.mjs"


def python(base_url: str, account_sid: str) -> str:
    """The module ``ringback_client``."""
    known = (
        f'os.environ.get("RINGBACK_ACCOUNT_SID", "{account_sid}")'
        if account_sid
        else 'os.environ["RINGBACK_ACCOUNT_SID"]'
    )
    return f'''"""The official client, talking to Ringback: pip install twilio."""

import os
import re

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

BASE = os.environ.get("RINGBACK_URL", {json.dumps(base_url)})


class ToRingback(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        url = re.sub(r"^https://([\\w-]+)\\.([\\w-]+\\.)*twilio\\.com", BASE + r"/\\1", url)
        return super().request(method, url, *args, **kwargs)


client = Client(
    {known},
    os.environ["RINGBACK_AUTH_TOKEN"],
    http_client=ToRingback(),
)
'''


def node(base_url: str, account_sid: str) -> str:
    """The module ``ringback_client.mjs``."""
    known = "process.env.RINGBACK_ACCOUNT_SID" + (f" ?? {json.dumps(account_sid)}" if account_sid else "")
    return f"""// The official client, talking to Ringback: npm install twilio
import twilio from "twilio";

const base = process.env.RINGBACK_URL ?? {json.dumps(base_url)};

class ToRingback extends twilio.RequestClient {{
  request(options) {{
    const uri = options.uri.replace(/^https:\\/\\/([\\w-]+)\\.([\\w-]+\\.)*twilio\\.com/, `${{base}}/$1`);
    return super.request({{ ...options, uri }});
  }}
}}

export const client = twilio({known}, process.env.RINGBACK_AUTH_TOKEN, {{
  httpClient: new ToRingback(),
}});
"""
