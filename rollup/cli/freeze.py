"""`rollup freeze`: end a chain that has left a message waiting for too long."""

from __future__ import annotations

from rollup.cli.exits import ASKING, HERE, Consent, Where, manner_of, open_exit
from rollup.cli.options import DEFAULT, Common
from rollup.exit.leaving import freeze as freeze_chain


async def freeze(*, where: Where = HERE, consent: Consent = ASKING, common: Common = DEFAULT) -> None:
    """End the chain, once it has left a message from L1 waiting for too long. Anyone may; nothing thaws it.

    No batch is accepted any more. What is pending can still be proven wrong or becomes final, and then the vault pays
    everybody out by the last state (`rollup escape`). Before its time this tells when it will be possible; with --wait
    it waits for that, and stops if the message is taken meanwhile.
    """
    async with open_exit(where, common) as way:
        left = await freeze_chain(way.payer, way.contracts, manner_of(consent, way.teller))
        way.teller.end(left, dry_run=consent.dry_run)
