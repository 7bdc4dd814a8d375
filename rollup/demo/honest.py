"""What an honest sequencer is for: money in, prices, trades, a batch on L1, money out again."""

from __future__ import annotations

from rollup.cli.amounts import show_usd
from rollup.cli.claims import Vault
from rollup.cli.wallet import Wallet
from rollup.demo.observer import Standing
from rollup.demo.party import DOLLAR, OPENINGS, PRICES, USERS, Party, User
from rollup.demo.report import NotVerified, Step, require, require_equal
from rollup.demo.setting import SPARE, Stage
from rollup.demo.waiting import until
from rollup.devnet.client import Client
from rollup.devnet.roles import BANKER
from rollup.feeder.rounds import publish_prices as publish
from rollup.feeder.venue import Venue
from rollup.l1.devkeys import dev_address, dev_key
from rollup.quant.sources import Prices
from rollup.rpc.client import RpcError
from rollup.types.keys import underlying_key
from rollup.types.leaves import Underlying
from rollup.types.transactions import OracleUpdate

WITHDRAWAL = 1_234 * DOLLAR + 567_890
"""µUSD; not round, so that a rounding anywhere would show."""


async def open_accounts(stage: Stage, client: Client) -> None:
    """Open accounts through L1 and see them on L2 with exactly what was paid in."""
    with stage.report.step("deposits", f"opening {len(OPENINGS)} accounts on L1") as step:
        await stage.bank.mint(2 * sum(OPENINGS))
        users: list[User] = []
        for index, amount in enumerate(OPENINGS):
            key = USERS + index
            funded = await stage.bank.open(dev_address(key), amount)
            wallet = Wallet(dev_key(key), stage.deployment.chain_id, stage.deployment.rollup)
            users.append(User(funded.account, key, wallet, cash=funded.amount))
        stage.party = Party(users)
        for user in users:
            await see_cash(step, client, user)
        observer, total = stage.observer, sum(OPENINGS)
        for user in users:
            require_equal("owner on L1", user.owner, await observer.inbox.call("ownerOf", user.account))
        held: int = await observer.token.call("balanceOf", stage.deployment.vault)
        require_equal("µUSD in the vault", total, held)
        require_equal("messages in the inbox", len(users), await observer.inbox.call("count"))
        step.found(
            f"{len(users)} accounts with {show_usd(total)} USD, all of it in the vault",
            accounts=[user.account for user in users],
            amounts=[user.cash for user in users],
            vault_balance=held,
        )


async def publish_prices(stage: Stage, client: Client) -> None:
    """Co-signed prices of all coins, seen in the state that follows from L1."""
    with stage.report.step("prices", "co-signing prices") as step:
        sent, block = await send_prices(stage, client)
        batch = await see_batch(stage, step, block)
        await stage.observer.replay()
        for update in sent:
            leaf = Underlying.decode(stage.observer.mirror.store.read(underlying_key(update.underlying)))
            require_equal(
                f"price of underlying {update.underlying}",
                (update.spot, update.mark, update.time),
                (leaf.spot, leaf.mark, leaf.time),
            )
        shown = ", ".join(f"{name} {show_usd(price)}" for name, price in PRICES.items())
        signers = sent[0].signers.bit_count()
        step.found(f"{shown}, signed by {signers} feeders, in batch {batch}", prices=dict(PRICES), batch=batch)


async def send_prices(stage: Stage, client: Client) -> tuple[list[OracleUpdate], int]:
    """Publish the demo's prices; the updates, and a block that holds or follows them."""
    sent: list[OracleUpdate] = []
    for name, price in PRICES.items():
        coin = (await client.instrument(name)).underlying
        sent.append(await publish(Venue(client.rpc), stage.panel, coin, Prices(price, price)))
    return sent, (await client.status())["head"]


async def trade(stage: Stage, client: Client, name: str = "trades") -> tuple[int, range]:
    """Signed orders through the RPC, their trades on L1; how many, and the batches that hold them."""
    party, count = stage.party, stage.settings.trades
    with stage.report.step(name, f"trading {count} times") as step:
        await send_prices(stage, client)  # a busy machine may have let them grow old
        before = party.trades
        blocks = await party.trade(client, count)
        made = party.trades - before
        first = await see_batch(stage, step, min(blocks))
        last = await see_batch(stage, step, max(blocks))
        await stage.observer.replay()
        party.check(stage.observer.mirror)
        on_l1 = sum(stage.observer.trades_in(batch) for batch in range(first, last + 1))
        require(on_l1 >= made, "trades in the batches", made, on_l1)
        step.found(
            f"{made} trades in {len(set(blocks))} blocks; every balance and position on L1 is right to the unit",
            trades=made,
            blocks=len(set(blocks)),
            batches=[first, last],
        )
    return made, range(first, last + 1)


async def weigh_batches(stage: Stage, trades: int, batches: range) -> float:
    """Promises of the whole state, and what the batches of `trades` cost on L1; gas per trade."""
    with stage.report.step("batch", "checking the batches on L1") as step:
        found = await stage.observer.replay()
        gas, size = await stage.observer.gas_of(batches)
        per_trade = round(gas / trades, 1)
        which = f"batch {batches[0]}" if len(batches) == 1 else f"batches {batches[0]} to {batches[-1]}"
        step.found(
            f"{which}: {trades} trades for {gas:,} gas, {per_trade:,} a trade; money and positions add up",
            batches=[batches[0], batches[-1]],
            state_root=stage.observer.mirror.store.root,
            gas=gas,
            calldata_bytes=size,
            l1_gas_per_trade=per_trade,
            cash=found.cash,
            fees=found.fees,
            deposits=found.deposits,
            withdrawals=found.withdrawals,
        )
    return per_trade


async def withdraw(stage: Stage, client: Client) -> tuple[User, int]:
    """A withdrawal signed by its owner; the user, and the batch that holds it."""
    user = stage.party.takers[0]
    with stage.report.step("withdrawal", f"withdrawing {show_usd(WITHDRAWAL)} USD") as step:
        answer = await client.submit(user.wallet.withdraw(user.account, WITHDRAWAL))
        user.cash -= WITHDRAWAL
        user.withdrawn += WITHDRAWAL
        batch = await see_batch(stage, step, answer["block_number"])
        await stage.observer.replay()
        stage.party.check(stage.observer.mirror)
        step.found(
            f"{show_usd(WITHDRAWAL)} USD from account {user.account}, in batch {batch}",
            account=user.account,
            amount=WITHDRAWAL,
            batch=batch,
        )
    return user, batch


async def see_final(stage: Stage, batch: int) -> None:
    """Wait until a batch is final."""
    seconds = stage.settings.dispute_seconds
    with stage.report.step("finality", f"the dispute window of {seconds} s") as step:

        async def final() -> Standing | None:
            now = await stage.observer.standing()
            left = await stage.observer.seconds_to_finality(batch)
            step.waiting(f"batch {batch} to become final, {left} s at least")
            return now if now.finalised >= batch else None

        now = await until(step, f"batch {batch} to become final", final, seconds + SPARE)
        step.found(f"batch {batch} and all before it are final", finalised=now.finalised, batch=batch)


async def claim(stage: Stage, user: User) -> None:
    """What was withdrawn, paid out on L1 against a proof made from L1 alone."""
    with stage.report.step("claim", "proving the withdrawal to the vault") as step:
        observer = stage.observer
        await observer.replay()
        proof = observer.mirror.prove(user.account)
        if proof is None:
            raise NotVerified(f"account {user.account} is in no final state")
        before: int = await observer.token.call("balanceOf", user.owner)
        vault = Vault(stage.l1, stage.deployment.vault)
        paid = await vault.claim(stage.account(BANKER), proof)
        after: int = await observer.token.call("balanceOf", user.owner)
        require_equal("µUSD paid to the owner", user.withdrawn, after - before)
        require_equal("µUSD claimed for the account", user.withdrawn, await vault.paid(user.account))
        step.found(
            f"{show_usd(paid.amount)} USD paid to 0x{user.owner.hex()}, {paid.gas:,} gas",
            account=user.account,
            amount=paid.amount,
            balance=after,
            gas=paid.gas,
            witness_bytes=len(proof.witness),
        )


async def see_cash(step: Step, client: Client, user: User) -> None:
    """Wait until L2 shows exactly what an account must have."""

    async def credited() -> bool | None:
        try:
            return (await client.account(user.account)).cash == user.cash or None
        except RpcError:
            return None  # the account is not opened yet

    await until(step, f"{show_usd(user.cash)} USD in account {user.account} on L2", credited, SPARE)


async def see_batch(stage: Stage, step: Step, block: int) -> int:
    """Wait until a block is on L1; the batch that holds it."""

    async def posted() -> int | None:
        return await stage.observer.holding_block(block)

    return await until(step, f"block {block} in a batch on L1", posted, SPARE)


async def see_all_posted(stage: Stage, step: Step, client: Client) -> int:
    """Wait until the last sealed block is on L1, and return it: nothing is lost with this sequencer's database."""
    head: int = (await client.status())["head"]
    await see_batch(stage, step, head)
    return head
