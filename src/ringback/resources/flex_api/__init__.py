"""Flex: how a customer's web chat begins."""
