"""The contracts on each kind of node."""

from tests.support.sites import any_site, site

__all__ = ["any_site", "site"]
