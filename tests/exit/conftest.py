"""A deployed rollup for each test of the way out."""

from tests.support.sites import poster, site

__all__ = ["poster", "site"]
