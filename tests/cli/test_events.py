"""What a sequencer tells of its blocks: liquidation, settlement and combos have a line each."""

from __future__ import annotations

from rollup.cli.events import WORDS, Told, events_of
from tests.stf.venue import CALL, PERP, bid, combo, leg
from tests.stf.world import USD, cancel
from tests.support.pit import EXPIRY, FAR_CALL, P, Pit, pit

COIN = 1_000_000


def told(desk: Pit) -> list[Told]:
    """All that the blocks made durable by now say, in order."""
    names = desk.desk.catalogue
    return [each for unit in desk.units for block in unit.blocks for each in events_of(names, block.receipts)]


def test_a_liquidation_is_told_step_by_step() -> None:
    """The flag with both figures, the bid with its price, and the flag that is taken back."""
    desk = pit()
    desk.trade(0, 1, PERP, 9 * COIN)
    desk.crash(P * 85 // 100)
    desk.look()
    desk.now(P * 85 // 100, 30)
    desk.submit(bid(0, 5, 1))
    desk.submit(cancel(5, 2))
    desk.flush()
    flag, sale = told(desk)
    assert (flag.name, flag.word) == ("flag", "flag")
    assert flag.text.startswith("account 0 is below maintenance margin: worth 45,")
    assert flag.fields["equity"] < flag.fields["maintenance"]
    assert sale.name == "bid"
    assert sale.text.startswith("account 5 buys ")
    assert sale.text.endswith(" to the fund")
    assert (sale.fields["account"], sale.fields["liquidator"]) == (0, 5)


def test_deleveraging_settlement_and_a_combo_are_told() -> None:
    """Of an insolvent account that is closed against its counterparty; of what an expiry pays; of an RFQ's trade."""
    desk = pit()
    desk.trade(0, 1, PERP, 9 * COIN)
    legs = [leg(CALL, COIN, desk.mark(CALL)), leg(FAR_CALL, COIN, desk.mark(FAR_CALL), sell=True)]
    desk.submit(combo(2, 3, 1, legs))
    desk.crash(P * 70 // 100)
    desk.look()
    desk.look()
    closed = next(each for each in told(desk) if each.name == "deleverage")
    assert closed.text.startswith("BTC-PERP 9 of account 0 against 1 for 25")
    assert [each.fields for each in told(desk) if each.name == "combo"] == [{"taker": 3, "maker": 2, "legs": 2}]
    assert [each.text for each in told(desk) if each.name == "combo"] == ["account 3 takes the quote of 2, 2 legs"]
    desk.wait(EXPIRY - 60, P * 70 // 100)
    desk.now(P * 70 // 100)
    desk.time = EXPIRY
    desk.now(P * 70 // 100)
    desk.look()
    settled = [each for each in told(desk) if each.name == "settle"]
    assert [each.text for each in settled] == [f"account {n} is paid 0.00 USD for what has ended" for n in (2, 3)]


def test_a_debt_that_is_cleared_is_told_with_who_bears_it() -> None:
    """What the fund lacked is owed by all."""
    desk = pit()
    desk.trade(1, 0, CALL, 6 * COIN)
    desk.wait(EXPIRY - 3_600)
    for time in (EXPIRY - 3_600, EXPIRY + 1):
        desk.time = time
        desk.now(P * 2, 0)
    desk.look()
    desk.look()
    (gone,) = [each for each in told(desk) if each.name == "write_off"]
    assert gone.fields["account"] == 0
    assert gone.fields["bad_debt"] > 100_000 * USD
    assert gone.text == "account 0: 72.00 USD from the fund, 124,908.80 owed"


def test_who_owes_at_an_expiry_is_told_to_pay() -> None:
    """The holder of a call in the money is paid what its writer pays."""
    desk = pit()
    desk.trade(0, 1, CALL, COIN)
    desk.wait(EXPIRY - 60)
    for time in (EXPIRY - 60, EXPIRY):
        desk.time = time
        desk.now(P + 500 * USD, 0)
    desk.look()
    said = {each.fields["account"]: each for each in told(desk) if each.name == "settle"}
    assert said[0].fields["received"] == -said[1].fields["received"] > 0
    assert said[0].text.startswith("account 0 is paid 500.0")
    assert said[1].text.startswith("account 1 pays 500.0")


def test_every_kind_has_its_word() -> None:
    """What anybody may send about others, and what both sides agreed on."""
    assert set(WORDS) == {"flag", "bid", "deleverage", "write_off", "settle", "combo"}
    assert all(len(word) < 8 for word in WORDS.values())
