"""The oracle: what its feeders submit, and the part of the state that they must know."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from rollup.rpc.dispatch import Dispatcher, NoParams, Params
from rollup.rpc.methods.fields import Hexadecimal, Integer, integer, read_signature, show_bytes
from rollup.rpc.methods.shapes import show_transaction
from rollup.rpc.session import Session
from rollup.sequencer.exchange import Exchange
from rollup.types.instruments import symbol_of
from rollup.types.markets import Series, Underlying
from rollup.types.prices import OracleUpdate, SurfaceUpdate

_SAFE = 1 << 53
"""From here on numbers are sent as text: not every reader of JSON keeps them exact."""


class PriceParams(Params, frozen=True):
    """A price with its feeders' signatures; bit i of `signers` stands for feeder i, signatures ascend by feeder."""

    underlying: int
    time: int
    spot: Integer
    mark: Integer
    signers: int
    signatures: list[Hexadecimal]


class SurfaceParams(Params, frozen=True):
    """Forward and slice of one expiry with its feeders' signatures; units as they are signed."""

    underlying: int
    series: int
    time: int
    forward: int
    a: int
    b: int
    rho: int
    m: int
    sigma: int
    confidence: int
    signers: int
    signatures: list[Hexadecimal]


def register_oracle(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """oracle/update, oracle/surface and public/get_oracle."""

    async def update(_: Session, params: PriceParams) -> dict[str, Any]:
        signatures = tuple(read_signature(each) for each in params.signatures)
        request = OracleUpdate(
            params.underlying, params.time, integer(params.spot), integer(params.mark), params.signers, signatures
        )
        return show_transaction(await exchange.submit(request))

    async def surface(_: Session, params: SurfaceParams) -> dict[str, Any]:
        given = msgspec.structs.asdict(params)
        given["signatures"] = tuple(read_signature(each) for each in params.signatures)
        return show_transaction(await exchange.submit(SurfaceUpdate(**given)))

    def get_oracle(_: Session, __: NoParams) -> dict[str, Any]:
        view = exchange.oracle()
        return {
            "time": view.time,
            "threshold": view.oracles.threshold,
            "feeders": [show_bytes(feeder) for feeder in view.oracles.feeders],
            "underlyings": [
                {"underlying": number, "currency": symbol_of(number), **_show_leaf(leaf)}
                for number, leaf in view.underlyings.items()
            ],
            "series": [
                {"underlying": number, "series": series, **_show_leaf(leaf)}
                for (number, series), leaf in view.series.items()
            ],
        }

    dispatcher.register("oracle/update", PriceParams, update)
    dispatcher.register("oracle/surface", SurfaceParams, surface)
    dispatcher.register("public/get_oracle", NoParams, get_oracle)


def _show_leaf(leaf: Underlying | Series) -> dict[str, int | str]:
    """The leaf's fields as they stand in the state: integers in µUSD, ppm, 10⁻⁹, s."""
    values = {item.name: getattr(leaf, item.name) for item in fields(leaf)}
    return {name: value if abs(value) < _SAFE else str(value) for name, value in values.items()}
