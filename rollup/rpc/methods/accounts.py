"""What an account does besides trading, and how it stands. Every state is public: it can be read from L1 as well."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from rollup.rpc.dispatch import Dispatcher, Params
from rollup.rpc.methods.fields import Hexadecimal, Integer, Text, amount_of, integer, read_hex, read_signature
from rollup.rpc.methods.shapes import show_account, show_transaction
from rollup.rpc.session import Session
from rollup.sequencer.checks import check_cash
from rollup.sequencer.exchange import Exchange
from rollup.types.transactions import SetSigner, Transfer, Withdraw


class WithdrawParams(Params, frozen=True):
    """The owner's signed wish to withdraw; `micro_amount` in µUSD, or `amount` in USD."""

    subaccount_id: int
    nonce: Integer
    signature: Hexadecimal
    micro_amount: Integer | UnsetType = UNSET
    amount: Text | UnsetType = UNSET


class TransferParams(Params, frozen=True):
    """The owner's signed wish to move cash to another account."""

    subaccount_id: int
    recipient_subaccount_id: int
    nonce: Integer
    signature: Hexadecimal
    micro_amount: Integer | UnsetType = UNSET
    amount: Text | UnsetType = UNSET


class SetSignerParams(Params, frozen=True):
    """The owner's signed appointment of a session signer; the zero address dismisses it."""

    subaccount_id: int
    signer: Hexadecimal
    nonce: Integer
    signature: Hexadecimal


class AccountParams(Params, frozen=True):
    """Which account."""

    subaccount_id: int


def register_accounts(dispatcher: Dispatcher, exchange: Exchange) -> None:
    """private/withdraw, transfer, set_signer and get_subaccount."""

    async def withdraw(_: Session, params: WithdrawParams) -> dict[str, Any]:
        amount = check_cash(amount_of(params.micro_amount, params.amount, "micro_amount", "amount"))
        signature = read_signature(params.signature)
        request = Withdraw(params.subaccount_id, amount, integer(params.nonce), signature)
        return show_transaction(await exchange.submit(request))

    async def transfer(_: Session, params: TransferParams) -> dict[str, Any]:
        amount = check_cash(amount_of(params.micro_amount, params.amount, "micro_amount", "amount"))
        signature = read_signature(params.signature)
        request = Transfer(
            params.subaccount_id, params.recipient_subaccount_id, amount, integer(params.nonce), signature
        )
        return show_transaction(await exchange.submit(request))

    async def set_signer(_: Session, params: SetSignerParams) -> dict[str, Any]:
        signer, signature = read_hex(params.signer, 20, "signer"), read_signature(params.signature)
        request = SetSigner(params.subaccount_id, signer, integer(params.nonce), signature)
        return show_transaction(await exchange.submit(request))

    def get_subaccount(_: Session, params: AccountParams) -> dict[str, Any]:
        return show_account(exchange.catalogue, exchange.account(params.subaccount_id))

    dispatcher.register("private/withdraw", WithdrawParams, withdraw)
    dispatcher.register("private/transfer", TransferParams, transfer)
    dispatcher.register("private/set_signer", SetSignerParams, set_signer)
    dispatcher.register("private/get_subaccount", AccountParams, get_subaccount)
