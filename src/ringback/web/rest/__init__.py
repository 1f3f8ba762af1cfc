"""REST by declaration: the routes, forms, answers and documentation of every declared resource."""

from ringback.web.rest.application import RestApplication, build_rest
from ringback.web.rest.context import Context, LiveHandler, RestSettings

__all__ = ["Context", "LiveHandler", "RestApplication", "RestSettings", "build_rest"]
