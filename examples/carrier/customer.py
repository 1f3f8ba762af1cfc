"""A customer of the example carrier: ``.venv/bin/python examples/carrier/customer.py "Is anybody there?"``."""

from __future__ import annotations

import argparse
import json
import uuid

from app import tell


def main() -> None:
    """Deliver one message to Ringback, as the carrier does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text")
    parser.add_argument("--from", dest="sender", default="whatsapp:+15551230001")
    parser.add_argument("--to", default="whatsapp:+15550100")
    parser.add_argument(
        "--id", default=uuid.uuid4().hex, help="the carrier's id: the same one twice is one message"
    )
    given = parser.parse_args()
    message = {"id": given.id, "from": given.sender, "to": given.to, "body": given.text}
    print(json.dumps(tell("messages", message)))


if __name__ == "__main__":
    main()
