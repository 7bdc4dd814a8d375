"""The state transition: what a block does to the state. Pure, and equal to its twin in `contracts/src/stf/`.

`block` executes a whole block (replay, challenge), `builder` one transaction at a time (the sequencer). Both drive the
same rules: `messages` and `transactions` dispatch; `trade`, `cancel`, `cash`, `signer` and `oracle` decide; `orders`,
`authorise`, `funding`, `margin`, `holdings` and `fixed` serve them; `context` reads leaves and `meters` count the work.
The order of checks is that of `contracts/SPEC.md`. A failing check raises InvalidTransaction, a full meter BlockFull.
"""
