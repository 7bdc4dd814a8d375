"""Everybody leaves with L1 alone, and is paid what the books say, to the unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rollup.cli.amounts import show_usd
from rollup.demo.escape.books import Books
from rollup.demo.escape.holdings import DEEP, prices_at_end
from rollup.demo.escape.killing import NEWCOMER, Late
from rollup.demo.escape.machine import KEY_FILE, Machine
from rollup.demo.escape.reckoning import check_options, shares, worth
from rollup.demo.escape.setting import pass_time
from rollup.demo.party import DOLLAR, User
from rollup.demo.report import require, require_equal
from rollup.demo.setting import Stage
from rollup.devnet.roles import BANKER
from rollup.l1.artifacts import load_artifact
from rollup.l1.contract import Contract
from rollup.l1.devkeys import dev_address

MISSING: Final = 87_654 * DOLLAR + 321_098
"""µUSD that are taken from the vault where the variant has it so: more than a third."""
TIMESTAMP: Final = 7
"""Where the last block's time stands in a batch."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What everybody is due: equities and shares by account, claim and refunds apart."""

    equities: dict[int, int]
    due: dict[int, int]
    withdrawer: User
    late: list[Late]
    before: dict[bytes, int]
    vault: int

    @property
    def claimed(self) -> int:
        """µUSD withdrawn on L2 and not paid yet when the chain was frozen."""
        return self.withdrawer.withdrawn

    @property
    def refunded(self) -> int:
        """µUSD of deposits that came too late."""
        return sum(each.amount for each in self.late)


async def take_from_vault(stage: Stage) -> None:
    """The stablecoin's issuer destroys a part of what the vault holds."""
    with stage.report.step("shortfall", "taking money from the vault") as step:
        books = Books(stage)
        before = await books.in_vault()
        token = Contract(stage.l1, stage.deployment.token, load_artifact("RecallableUSD"))
        await token.transact(stage.account(BANKER), "recall", stage.deployment.vault, MISSING)
        after = await books.in_vault()
        require_equal("µUSD in the vault", before - MISSING, after)
        step.found(
            f"the issuer destroys {show_usd(MISSING)} USD of the vault's {show_usd(before)}",
            missing=MISSING,
            vault_balance=after,
        )


async def reckon(stage: Stage, withdrawer: User, late: list[Late], end: int) -> Leaving:
    """What everybody must be paid, from the trades and prices of the day and from the vault's balance."""
    with stage.report.step("reckoning", "computing what everybody is due") as step:
        await stage.observer.replay()
        stage.party.check(stage.observer.mirror)
        require_equal("last batch", end, stage.observer.mirror.batch)
        time: int = (await stage.observer.rollup.call("batches", end))[TIMESTAMP]
        prices = prices_at_end(stage, DEEP, time)
        difference = check_options(prices)
        equities = {user.account: worth(user.cash, user.positions, prices) for user in stage.party.users}
        books = Books(stage)
        vault = await books.in_vault()
        pot = vault - withdrawer.withdrawn - sum(each.amount for each in late)
        due = shares(equities, pot)
        owners = [*(user.owner for user in stage.party.users), dev_address(NEWCOMER)]
        debts = {account: equity for account, equity in equities.items() if equity < 0}
        require(bool(debts), "accounts that owe", "one", "none")
        total = sum(equity for equity in equities.values() if equity > 0)
        kind = "in full" if pot >= total else f"{100 * pot / total:.2f} % of it"
        step.found(
            f"{show_usd(total)} USD in {len(equities) - len(debts)} accounts, {kind}; options within "
            f"{difference:.2f} µUSD of the formula",
            equities=equities,
            due=due,
            pot=pot,
            total=total,
            vault_balance=vault,
            option_difference=round(difference, 3),
        )
    return Leaving(equities, due, withdrawer, late, await books.holdings(owners), vault)


async def register_all(stage: Stage, machine: Machine, leaving: Leaving) -> None:
    """`rollup escape` by every owner: claims, refunds and registrations."""
    with stage.report.step("escape", "escaping with every key") as step:
        for key in dict.fromkeys([*(user.key for user in stage.party.users), NEWCOMER]):
            await machine.run("escape", "--yes", "--key", machine.key(key))
        books = Books(stage)
        settled, batch = await stage.observer.rollup.call("endState")
        require(settled, "whether the end state stands", "yes", "no")
        registered = await books.by_account("Registered")
        wanted = {account: equity for account, equity in leaving.equities.items() if equity > 0}
        shown = {account: seen.event.values["equity"] for account, seen in registered.items()}
        require_equal("registered equities, µUSD", wanted, shown)
        (ended,) = await books.seen(stage.observer.rollup, "Ended")
        pot, _ = await books.vault.call("pot")
        total = sum(leaving.due.values())
        require(total <= pot, "pot, µUSD", f"{total:,} or more", pot)
        positions = {user.account: sum(map(bool, user.positions.values())) for user in stage.party.users}
        gas = {account: seen.gas for account, seen in sorted(registered.items())}
        foreign = [name for name in machine.holds() if not name.startswith(KEY_FILE)]
        require_equal("files on the users' machine besides keys", [], foreign)
        step.found(
            f"{len(registered)} accounts registered, each to the unit; {_range(gas)} gas each",
            batch=batch,
            end_gas=ended.gas,
            equities=shown,
            positions={account: positions[account] for account in sorted(registered)},
            pot=pot,
            gas=gas,
        )


async def see_claims_and_refunds(stage: Stage, leaving: Leaving) -> None:
    """What comes first was paid in full: the old withdrawal, and the deposits that came too late."""
    books, user = Books(stage), leaving.withdrawer
    with stage.report.step("claim", "looking at the old withdrawal") as step:
        claimed = await books.by_account("Claimed")
        paid = {account: (seen.event.values["owner"], seen.event.values["amount"]) for account, seen in claimed.items()}
        require_equal("claims", {user.account: (user.owner, leaving.claimed)}, paid)
        gas = claimed[user.account].gas
        text = f"{show_usd(leaving.claimed)} USD to 0x{user.owner.hex()}, {gas:,} gas"
        step.found(text, account=user.account, amount=leaving.claimed, gas=gas)
    with stage.report.step("refund", "looking at the late deposits") as step:
        refunds = await books.seen(books.vault, "Refunded")
        shown = sorted(_late(seen.event.values) for seen in refunds)
        require_equal(
            "refunds", sorted((each.index, each.account, each.owner, each.amount) for each in leaving.late), shown
        )
        gases = [seen.gas for seen in refunds]
        step.found(
            f"{show_usd(leaving.refunded)} USD in {len(refunds)} refunds of {max(gases):,} gas at most",
            amounts=[each.amount for each in leaving.late],
            gas=gases,
        )


async def collect_all(stage: Stage, machine: Machine, leaving: Leaving) -> dict[str, Any]:
    """The window closes, and somebody with no account sends everybody his share. Figures of the whole."""
    with stage.report.step("collect", "collecting the shares") as step:
        books = Books(stage)
        skipped = await pass_time(stage, await books.vault.call("registrationDeadline"))
        await machine.run("escape", "--all", "--yes", "--key", machine.key(NEWCOMER))
        collected = await books.by_account("Collected")
        shown = {account: seen.event.values["amount"] for account, seen in collected.items()}
        require_equal("shares, µUSD", {account: share for account, share in leaving.due.items() if share}, shown)
        gas = {account: seen.gas for account, seen in sorted(collected.items())}
        step.found(
            f"{show_usd(sum(shown.values()))} USD to {len(shown)} accounts, each to the unit; {_range(gas)} gas each",
            shares=shown,
            gas=gas,
            skipped=skipped,
        )
    return await _balance(stage, leaving)


async def _balance(stage: Stage, leaving: Leaving) -> dict[str, Any]:
    """Every owner's purse and the vault's, before and after."""
    with stage.report.step("balance", "counting the money") as step:
        books = Books(stage)
        await _require_purses(stage, books, leaving)
        paid = leaving.claimed + leaving.refunded + sum(leaving.due.values())
        left = await books.in_vault()
        require(paid <= leaving.vault, "Σ paid, µUSD", f"{leaving.vault:,} or less", paid)
        require_equal("µUSD left in the vault", leaving.vault - paid, left)
        step.found(
            f"{show_usd(paid)} USD paid of {show_usd(leaving.vault)}; {show_usd(left)} USD of fees and insurance stay",
            paid=paid,
            vault_before=leaving.vault,
            vault_after=left,
        )
    return {"paid": paid, "vault_before": leaving.vault, "vault_after": left}


async def _require_purses(stage: Stage, books: Books, leaving: Leaving) -> None:
    expected = dict(leaving.before)
    for user in stage.party.users:
        expected[user.owner] += leaving.due[user.account]
    expected[leaving.withdrawer.owner] += leaving.claimed
    for each in leaving.late:
        expected[each.owner] += each.amount
    require_equal("µUSD of every owner on L1", expected, await books.holdings(expected))


def _late(values: Mapping[str, Any]) -> tuple[int, int, bytes, int]:
    return values["index"], values["account"], values["owner"], values["amount"]


def _range(gas: Mapping[int, int]) -> str:
    low, high = min(gas.values()), max(gas.values())
    return f"{low:,}" if low == high else f"{low:,} … {high:,}"
