"""Connections to SMSCs over ``ringback.smpp``: binding, requests and responses, what comes in."""
