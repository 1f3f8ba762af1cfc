"""Ringback: a contact centre that anyone can host, and that speaks Twilio's API."""

__version__ = "0.1.0"
