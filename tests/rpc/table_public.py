"""The public methods, and what one may subscribe to."""

from __future__ import annotations

from tests.rpc.entry import Entry
from tests.rpc.hostile import AMOUNT, INVALID, UNKNOWN_ACCOUNT, Kind, text
from tests.rpc.kinds import ACCOUNT, FLAG, HASH, INSTRUMENT, LABEL, bounded, choice

NO_CHANNEL, NO_BLOCK = 13000, 11111

PAGES = {"page": bounded(0, 1_000_001).optional(), "page_size": bounded(0, 1_001).optional()}

NAMES = Kind(
    {
        **choice().hostile,
        "a number": (b"[1]", INVALID),
        "a list": (b"[[]]", INVALID),
        "an empty name": (b'[""]', INVALID),
        "129 characters": (b'["' + b"x" * 129 + b'"]', INVALID),
        "257 channels": (b"[" + b",".join(b'"trades.%d"' % n for n in range(257)) + b"]", INVALID),
    }
)
CHANNELS = Kind(
    {
        **NAMES.hostile,
        "an unknown family": (b'["x"]', NO_CHANNEL),
        "a family without a name": (b'["trades"]', NO_CHANNEL),
        "an unknown instrument": (b'["trades.DOGE-PERP"]', NO_CHANNEL),
        "a chain's part": (b'["blocks.1"]', NO_CHANNEL),
        "no number": (b'["account.x"]', NO_CHANNEL),
        "a negative account": (b'["account.-1"]', NO_CHANNEL),
        "a huge account": (b'["account.999999999"]', NO_CHANNEL),
        "Arabic digits": (b"[" + text("account.\u0663") + b"]", NO_CHANNEL),
        "an account beyond its field": (b'["account.99999999"]', AMOUNT),
        "an unknown account": (b'["account.999"]', UNKNOWN_ACCOUNT),
        "a good one and a bad one": (b'["blocks","x"]', NO_CHANNEL),
    }
)

PUBLIC: tuple[Entry, ...] = (
    Entry("public/get_time", lambda _: {}),
    Entry("public/status", lambda _: {}),
    *(
        Entry(
            f"public/{name}",
            lambda _: {"currency": "BTC", "instrument_type": "perp", "expired": False, "page": 1, "page_size": 10},
            {
                "currency": LABEL.without("65 characters").optional(nullable=True),
                "instrument_type": choice().optional(nullable=True),
                "expired": FLAG.optional(),
                **PAGES,
            },
        )
        for name in ("get_instruments", "get_all_instruments")
    ),
    *(
        Entry(f"public/{name}", lambda _: {"instrument_name": "BTC-PERP"}, {"instrument_name": INSTRUMENT})
        for name in ("get_instrument", "get_ticker")
    ),
    Entry(
        "public/get_orderbook",
        lambda _: {"instrument_name": "BTC-PERP", "depth": 5},
        {"instrument_name": INSTRUMENT, "depth": bounded(0, 101).optional()},
    ),
    Entry(
        "public/get_trade_history",
        lambda s: {"instrument_name": "BTC-PERP", "subaccount_id": s.maker, "page": 1, "page_size": 10},
        {
            "instrument_name": INSTRUMENT.optional(nullable=True),
            "subaccount_id": ACCOUNT.optional(nullable=True),
            **PAGES,
        },
    ),
    *(
        Entry(
            f"public/{name}",
            lambda _: {"number": 1},
            {"number": bounded(-1, 2**40)},
            {"one to come": (lambda _: {"number": 2**40 - 1}, NO_BLOCK)},
        )
        for name in ("get_block", "get_batch")
    ),
    Entry(
        "public/get_transaction",
        lambda s: {"transaction_id": s.transaction_id},
        {"transaction_id": HASH},
        {"unknown": (lambda _: {"transaction_id": "0x" + "12" * 32}, NO_BLOCK)},
    ),
    Entry("private/get_subaccount", lambda s: {"subaccount_id": s.maker}, {"subaccount_id": ACCOUNT}),
    Entry(
        "private/get_open_orders",
        lambda s: {"subaccount_id": s.maker, "instrument_name": "BTC-PERP"},
        {"subaccount_id": ACCOUNT, "instrument_name": INSTRUMENT.optional(nullable=True)},
    ),
    Entry("subscribe", lambda _: {"channels": ["blocks"]}, {"channels": CHANNELS}, websocket_only=True),
    Entry("unsubscribe", lambda _: {"channels": ["blocks"]}, {"channels": NAMES}),
)
