"""Requests to the customer's web application: built, signed, guarded, sent, retried and recorded.

`sender.WebhookSender` is the performer; `request`, `overrides` and `auth` are its pure parts.
"""
