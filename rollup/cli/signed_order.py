"""A signed order as a file, so that two people can force a trade with each other when no sequencer matches them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec

from rollup.errors import ConfigError
from rollup.types.limits import SLOT_COUNT
from rollup.types.transactions import FreshOrder, OrderRef

_U16, _U24 = msgspec.Meta(ge=0, lt=1 << 16), msgspec.Meta(ge=0, lt=1 << 24)
_U40, _U48 = msgspec.Meta(ge=0, lt=1 << 40), msgspec.Meta(ge=0, lt=1 << 48)


class OrderFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of the file; amounts in millionths, the signature as 0x-hex."""

    account: Annotated[int, _U24]
    market: Annotated[int, _U16]
    flags: Annotated[int, msgspec.Meta(ge=0, le=15)]
    size: Annotated[int, _U48]
    price: Annotated[int, _U48]
    nonce: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    expiry: Annotated[int, _U40]
    signature: Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{128}$")]


def describe_order(order: FreshOrder) -> dict[str, Any]:
    """The content of the file."""
    return {name: getattr(order, name) for name in OrderFile.__struct_fields__}


def read_side(text: str, name: str) -> FreshOrder | OrderRef:
    """A side of a trade: the file of a signed order, or ACCOUNT:NONCE of an order that stands in its slot on L2.

    `ConfigError` names the argument.
    """
    if standing := re.fullmatch(r"(\d{1,8}):(\d{1,20})", text):
        account, nonce = int(standing[1]), int(standing[2])
        if account >= 1 << 24:
            raise ConfigError(f"{name}: there is no account {account}")
        return OrderRef(account, nonce % SLOT_COUNT)
    try:
        found = msgspec.json.decode(Path(text).read_bytes(), type=OrderFile)
    except OSError as error:
        due = "a file by `rollup force order`, or ACCOUNT:NONCE, is due"
        raise ConfigError(f"{name}: {text[:100]}: {error.strerror}; {due}") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{name}: {text[:100]} is no signed order: {error}") from error
    signature = bytes.fromhex(found.signature[2:])
    return FreshOrder(
        found.account, found.market, found.flags, found.size, found.price, found.nonce, found.expiry, signature
    )
