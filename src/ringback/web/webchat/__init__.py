"""``/webchat/v1``: the door for a customer's browser, which needs no SDK."""
