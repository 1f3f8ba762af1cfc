"""REST by declaration: the routes, forms, answers and documentation of every declared resource."""

from ringback.web.rest.application import RestApplication, build_rest
from ringback.web.rest.context import Context, RestSettings
from ringback.web.rest.rules import Rules

__all__ = ["Context", "RestApplication", "RestSettings", "Rules", "build_rest"]
