"""A real sequencer that nobody gives prices: holders leave behind those that they bring through L1 themselves."""

from __future__ import annotations

import time
from pathlib import Path

from rollup.crypto.eip712 import oracle_digest
from rollup.crypto.signatures import sign
from rollup.exit.forcing import force_message
from rollup.exit.outcome import Outcome
from rollup.exit.payloads import account_of, next_owner_nonce, sign_order, sign_withdrawal, trade_payload
from rollup.l1 import dev
from rollup.l1.devkeys import dev_key
from rollup.types.genesis import BTC
from rollup.types.keys import GLOBALS, underlying_key
from rollup.types.leaves import Globals, Underlying
from rollup.types.reasons import Reason
from rollup.types.transactions import FLAG_SELL, OracleUpdate, encode_transaction
from tests.exit.test_forcing_served import COIN, MAKER, TAKER, Running, fresh, running
from tests.support.deployed import FEEDER, open_site
from tests.support.served import PRICE, derive, posted
from tests.support.trader import USD

SILENCE = 5 * 86_400
"""Seconds without a price: the last one is too old even for what is forced."""
HOLD = 200
"""Longer than an honest sequencer waits for a price before it takes what needs one."""


async def signed(chain: Running, age: int) -> bytes:
    """A price of a while ago, as a feeder has signed it."""
    head = await chain.site.l1.get_block()
    assert head is not None
    then, spot = head.timestamp - age, PRICE * 98 // 100
    signature = sign(oracle_digest(chain.trader.separator, BTC, then, spot, spot), dev_key(FEEDER))
    return encode_transaction(OracleUpdate(BTC, then, spot, spot, 1, (signature,)))


async def force(chain: Running, payload: bytes, key: int = MAKER) -> int:
    """Force something; its number."""
    return (await force_message(chain.site.account(key), chain.site.deployment.inbox, payload)).index


async def outlast(chain: Running, index: int) -> Outcome:
    """What became of a message, once the sequencer has waited long enough for a price."""
    await dev.increase_time(chain.site.l1, HOLD)
    return await chain.consumed(index)


async def test_a_holder_leaves_behind_a_price_although_no_feeder_reaches_the_sequencer(tmp_path: Path) -> None:
    """Without it nothing goes; behind it the withdrawal is paid, and whoever checks the chain finds it right."""
    passed = [0]
    async with open_site() as site, running(site, tmp_path, clock=lambda: int(time.time()) + passed[0]) as chain:
        mirror, separator = chain.mirror, chain.trader.separator
        maker = sign_order(separator, fresh(0, FLAG_SELL, 11), dev_key(MAKER))
        taker = sign_order(separator, fresh(1, 0, 12), dev_key(TAKER))
        assert (await chain.force(trade_payload(maker, taker, COIN // 20))).done
        await dev.increase_time(site.l1, SILENCE)
        passed[0] = SILENCE

        withdrawal = sign_withdrawal(separator, 0, 1_000 * USD, next_owner_nonce(mirror, 0))
        alone = await outlast(chain, await force(chain, withdrawal))
        assert (alone.done, alone.reason) == (False, Reason.ORACLE_STALE)

        await force(chain, await signed(chain, 900), key=TAKER)
        behind = await outlast(chain, await force(chain, withdrawal))
        assert (behind.done, behind.paid) == (True, 1_000 * USD), behind.tell()
        assert account_of(mirror, 0).withdrawn == 1_000 * USD
        coin = Underlying.decode(mirror.store.read(underlying_key(BTC)))
        assert coin.spot == PRICE * 98 // 100
        assert Globals.decode(mirror.store.read(GLOBALS)).time - coin.time > coin.max_age

        most = sign_withdrawal(separator, 0, 8_400 * USD, next_owner_nonce(mirror, 0))
        greedy = await outlast(chain, await force(chain, most))
        assert (greedy.done, greedy.reason) == (False, Reason.MARGIN), "an old price counts the margin twice"
        await posted(chain.node)
        state = await derive(site)
        assert state.read(underlying_key(BTC)) == mirror.store.read(underlying_key(BTC))
        state.close()
