"""Codes that clients act on: once published, a code keeps its meaning."""

from __future__ import annotations

import importlib
import pkgutil

import rollup
from rollup.errors import Rejected

CODES = {
    "ParseError": -32700,
    "InvalidParams": -32602,
    "MethodNotFound": -32601,
    "InvalidRequest": -32600,
    "Refused": 11000,
    "RefusedTime": 11001,
    "RefusedUndecodable": 11002,
    "RefusedMeterTransactions": 11003,
    "RefusedMeterBytes": 11004,
    "RefusedMeterAccounts": 11005,
    "RefusedMeterSlots": 11006,
    "RefusedMeterSystem": 11007,
    "RefusedMeterLeafBytes": 11008,
    "RefusedMeterRecoveries": 11009,
    "RefusedMeterRevaluations": 11010,
    "RefusedMeterPricings": 11011,
    "RefusedAccountUnknown": 11016,
    "RefusedMarketUnknown": 11017,
    "RefusedUnderlyingUnknown": 11018,
    "RefusedSelfTrade": 11019,
    "RefusedOrderInvalid": 11020,
    "RefusedOrderUnknown": 11021,
    "RefusedOrderConflict": 11022,
    "RefusedOrderExpired": 11023,
    "RefusedNonceFloor": 11024,
    "RefusedNonceStale": 11025,
    "RefusedSignatureMalformed": 11026,
    "RefusedSignatureInvalid": 11027,
    "RefusedMarketMismatch": 11028,
    "RefusedSideMismatch": 11029,
    "RefusedMakerImmediate": 11030,
    "RefusedTakerPostOnly": 11031,
    "RefusedMarketClosed": 11032,
    "RefusedTick": 11033,
    "RefusedLot": 11034,
    "RefusedPriceLimit": 11035,
    "RefusedOverfill": 11036,
    "RefusedPriceBand": 11037,
    "RefusedReduceOnly": 11038,
    "RefusedPositionLimit": 11039,
    "RefusedPositionsFull": 11040,
    "RefusedOpenInterest": 11041,
    "RefusedCashRange": 11042,
    "RefusedMargin": 11043,
    "RefusedAmount": 11044,
    "RefusedOracleStale": 11045,
    "RefusedOracleTime": 11046,
    "RefusedOraclePrice": 11047,
    "RefusedOracleMove": 11048,
    "RefusedOracleSigners": 11049,
    "RefusedMarketExpired": 11051,
    "RefusedHalted": 11052,
    "RefusedSeriesUnknown": 11053,
    "RefusedSurfaceInvalid": 11054,
    "RefusedNothingToSettle": 11055,
    "RefusedNotLiquidatable": 11056,
    "RefusedFlagged": 11057,
    "RefusedNotFlagged": 11058,
    "RefusedAuctionOpen": 11059,
    "RefusedInsurance": 11060,
    "RefusedInsolvency": 11061,
    "RefusedDeleverageSize": 11062,
    "RefusedComboLegs": 11063,
    "RefusedListed": 11064,
    "RefusedListingInvalid": 11065,
    "Busy": 11100,
    "StoppedServing": 11101,
    "UnknownInstrument": 11102,
    "UnknownOrder": 11103,
    "BadAmount": 11104,
    "BadSignature": 11106,
    "ExpiryTooFar": 11107,
    "SlotInUse": 11109,
    "TooManyOrders": 11110,
    "UnknownBlock": 11111,
    "BadCombination": 11112,
    "Dropped": 11113,
    "UnknownRfq": 11114,
    "UnknownQuote": 11115,
    "TooManyRequests": 11116,
    "OrderExpired": 11201,
    "PostOnlyWouldCross": 11202,
    "FillOrKillUnfilled": 11203,
    "NonceInUse": 11204,
    "UnknownChannel": 13000,
    "NoStatement": 14000,
    "NotSigned": 14001,
}


def below(base: type[Rejected]) -> set[type[Rejected]]:
    """All kinds of a refusal."""
    return {kind for child in base.__subclasses__() for kind in {child, *below(child)}}


def test_published_codes_keep_their_meaning() -> None:
    """A code that changes breaks clients; a new refusal is added to this list on purpose."""
    for module in pkgutil.walk_packages(rollup.__path__, "rollup."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {kind.__name__: kind.code for kind in below(Rejected) if kind.__module__.startswith("rollup.")}
    assert found == CODES
