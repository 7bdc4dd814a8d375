"""`rollup escape`: everybody's money out of a frozen chain, from L1 alone."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rollup.cli.exits import ASKING, HERE, Accounts, Consent, Where, manner_of, open_exit
from rollup.cli.options import DEFAULT, Common
from rollup.exit.holdings import Whose
from rollup.exit.leaving import leave


async def escape(
    *,
    account: Accounts = (),
    everyone: Annotated[bool, Parameter(name="--all", negative=(), help="get everybody out")] = False,
    where: Where = HERE,
    consent: Consent = ASKING,
    common: Common = DEFAULT,
) -> None:
    """Get money out of a frozen chain: by default that of the key's own accounts. It goes to the owners in any case.

    The end state is rebuilt from L1. Pending batches are made final when they are due; then what was withdrawn is
    claimed, deposits that came too late are refunded, and accounts are registered with what they are worth, positions
    included; after the registration window their shares are collected. Run it as often as you like: it looks at L1 for
    what is left, so it may be interrupted at any time. With --wait it stays until the end.
    """
    async with open_exit(where, common) as way:
        whose = Whose(None if account or everyone else way.payer.address, frozenset(account), everyone)
        async with way.mirror() as mirror:
            left = await leave(way.payer, way.contracts, mirror, whose, manner_of(consent, way.teller))
        way.teller.end(left, dry_run=consent.dry_run)
