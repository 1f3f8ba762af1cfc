"""Callback and voicemail (callback-voicemail.md): a customer of the public REST API, as pure generators.

Each file's generators yield steps (``effects/features.py``) and are answered; ``web/features/`` carries the steps out.
"""
