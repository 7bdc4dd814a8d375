"""The oracle's feeders: what coins and their expiries are worth, co-signed by k of n and submitted.

`sources`, `candles` and `rollup.quant` say what is true, `opinion` what one feeder therefore thinks of a moment,
`limits` how much of it the rollup allows at once, `panel` gathers the signatures, `judge` and `endpoint` are the other
end of that, `venue` knows the sequencer, `rounds` leads round after round, `service` is the process. Floats are allowed
here: what leaves towards the rollup is whole units.
"""
