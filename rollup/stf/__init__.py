"""The state transition: what a block does to the state. Pure, and equal to its twin in `contracts/src/stf/`.

`block` executes a whole block (replay, challenge), `builder` one transaction at a time (the sequencer). Both drive the
same rules: `messages` and `transactions` dispatch; then one module for each thing that can happen:

* trading: `trade`, `combo` (and `fills`, what both do), `orders`, `cancel`, `nonces`
* money and rights: `cash`, `signer`, `authorise`
* prices: `oracle` and `halt`, `series` and `expiry`, with `feeders` for what they share; `funding`, `settlement`
* risk: `sheets` (a market's prices under every scenario), `margin`, `health`; `liquidation`, `deleverage`, `fund`
* markets: `listing`

`wad`, `surface` and `black76` price options, `fixed` rounds, `holdings` moves positions, `context` reads leaves,
`meters` count the work, `invariants` check a whole state.

The order of checks is that of `contracts/SPEC.md`. A failing check raises InvalidTransaction, a full meter BlockFull.
"""
