"""State leaves of an account: the account itself with its positions, and its order slots. Layouts: SPEC section 2."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, Self

from rollup.errors import Undecodable, Unencodable
from rollup.types.limits import MAX_POSITIONS
from rollup.types.value import value

NO_ADDRESS: Final = bytes(20)
"""The zero address: no signer."""

_LOW: Final = 0xFFFFFFFF
_ACCOUNT: Final = struct.Struct(">20s20sqQQQBBIB")
_POSITION: Final = struct.Struct(">Hqq")
_SLOT: Final = struct.Struct(">QHBHIHIBIHI")
_FLAGS_MASK: Final = 0x0F


class Status(IntEnum):
    """How an account stood when somebody last looked: below its maintenance margin, or worth less than nothing."""

    SOUND = 0
    UNSAFE = 1
    INSOLVENT = 2


_WORST: Final = int(Status.INSOLVENT)


@value(frozen=True, slots=True)
class Position:
    """A holding: signed `size` (µcoin, never 0) and the funding index (nUSD per coin) when last settled.

    The index is 0 in markets other than perpetuals.
    """

    market: int
    size: int
    funding_index: int


@value(frozen=True, slots=True)
class Account:
    """A margin account. `cash` is signed µUSD; `withdrawn` the µUSD withdrawn ever; positions ascend by market.

    `owner_nonce` is the last nonce of owner-only actions, `nonce_floor` the least order nonce still good. `flagged` is
    when its status became other than sound (s), 0 while it is sound.
    """

    owner: bytes
    signer: bytes
    cash: int
    withdrawn: int
    owner_nonce: int
    nonce_floor: int
    positions: tuple[Position, ...] = ()
    status: int = 0
    flagged: int = 0

    def encode(self) -> bytes:
        """79 + 18 n bytes."""
        if len(self.owner) != 20 or len(self.signer) != 20:
            raise Unencodable("account: an address has 20 bytes")
        if not 0 <= self.status <= _WORST:
            raise Unencodable(f"account: status {self.status}")
        last = -1
        for position in self.positions:
            if position.market <= last or position.size == 0:
                raise Unencodable(f"account: position in market {position.market} empty or out of order")
            last = position.market
        if len(self.positions) > MAX_POSITIONS:
            raise Unencodable(f"account: {len(self.positions)} positions")
        try:
            head = _ACCOUNT.pack(
                self.owner, self.signer, self.cash, self.withdrawn, self.owner_nonce, self.nonce_floor,
                self.status, self.flagged >> 32, self.flagged & _LOW, len(self.positions),
            )  # fmt: skip
            return head + b"".join([_POSITION.pack(p.market, p.size, p.funding_index) for p in self.positions])
        except struct.error as error:
            raise Unencodable(f"account: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        size = len(data)
        if size < _ACCOUNT.size:
            raise Undecodable(f"account of {size} bytes")
        owner, signer, cash, withdrawn, owner_nonce, floor, status, high, low, count = _ACCOUNT.unpack_from(data)
        if count > MAX_POSITIONS or size != _ACCOUNT.size + count * _POSITION.size:
            raise Undecodable(f"account of {size} bytes with {count} positions")
        if status > _WORST:
            raise Undecodable(f"account: status {status}")
        positions: list[Position] = []
        last = -1
        for market, held, index in _POSITION.iter_unpack(data[_ACCOUNT.size :]):
            if market <= last or held == 0:
                raise Undecodable(f"account: position in market {market} empty or out of order")
            last = market
            positions.append(Position(market, held, index))
        return cls(owner, signer, cash, withdrawn, owner_nonce, floor, tuple(positions), status, high << 32 | low)

    def position_in(self, market: int) -> int:
        """Signed size held in `market` (µcoin), 0 if none."""
        for position in self.positions:
            if position.market == market:
                return position.size
        return 0


@value(frozen=True, slots=True)
class Slot:
    """What an order slot remembers: the terms of its newest order and how much of it is filled (µcoin).

    `size` 0 marks a cancelled slot: nothing of a nonce at or below this one may fill any more.
    """

    nonce: int
    market: int
    flags: int
    size: int
    price: int
    expiry: int
    filled: int

    def encode(self) -> bytes:
        """34 bytes."""
        if self.flags & ~_FLAGS_MASK:
            raise Unencodable(f"slot: flags {self.flags:#x}")
        try:
            return _SLOT.pack(
                self.nonce, self.market, self.flags, self.size >> 32, self.size & _LOW, self.price >> 32,
                self.price & _LOW, self.expiry >> 32, self.expiry & _LOW, self.filled >> 32, self.filled & _LOW,
            )  # fmt: skip
        except struct.error as error:
            raise Unencodable(f"slot: {error}") from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`."""
        if len(data) != _SLOT.size:
            raise Undecodable(f"slot of {len(data)} bytes, not {_SLOT.size}")
        nonce, market, flags, sh, sl, ph, pl, eh, el, fh, fl = _SLOT.unpack(data)
        if flags & ~_FLAGS_MASK:
            raise Undecodable(f"slot: flags {flags:#x}")
        return cls(nonce, market, flags, sh << 32 | sl, ph << 32 | pl, eh << 32 | el, fh << 32 | fl)
