"""A deployed rollup for each test of derivation."""

from tests.support.sites import any_site, poster, site

__all__ = ["any_site", "poster", "site"]
