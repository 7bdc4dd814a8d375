"""`rollup rescue`: look at the chain, tell what is possible, and walk out of it, whatever state it is in."""

from __future__ import annotations

from rollup.cli.exits import ASKING, HERE, Accounts, Consent, Where, manner_of, open_exit
from rollup.cli.options import DEFAULT, Common
from rollup.exit.holdings import Whose
from rollup.exit.rescue import rescue as walk_out


async def rescue(
    *,
    account: Accounts = (),
    where: Where = HERE,
    consent: Consent = ASKING,
    common: Common = DEFAULT,
) -> None:
    """Look at the chain from L1, tell in plain words what is possible now, and walk through it, step by step.

    While the chain goes on, a withdrawal of what is not needed as margin is forced through L1, and claimed once it is
    final. If the chain leaves it waiting for too long, it is frozen, and accounts are paid out by its last state,
    positions included. With --wait it stays through all of that; otherwise run it again when it says so.
    """
    async with open_exit(where, common) as way:
        whose = Whose(None if account else way.payer.address, frozenset(account))
        async with way.mirror() as mirror:
            manner = manner_of(consent, way.teller)
            left = await walk_out(way.payer, way.contracts, mirror, whose, manner, way.teller.situation)
        way.teller.end(left, dry_run=consent.dry_run)
