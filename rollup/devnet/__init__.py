"""The devnet: every role on one machine, with oracle feeders and demo traders that keep it busy.

`actors` are those who use it: feeders of `rollup.feeder` and `traders`; `processes` runs the other roles
as processes that cannot outlive this one, `network` puts everything together. Floats are allowed here: what leaves
towards the rollup is whole units.
"""
