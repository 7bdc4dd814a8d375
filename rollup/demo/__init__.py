"""The demonstration: the whole loop in one run, each step of it verified on L1 and not by asking the sequencer.

    setting    an L1, the contracts, the accounts that play
    honest     deposits, prices, trades, their batch, withdrawal, finality, claim
    fraud      a dishonest sequencer posts, a challenger reverts it: one transaction, stake slashed, deposits back
    recovery   an honest sequencer goes on from the last good root, which it finds on L1
    script     all of it in order
    escape     the other scenario: the sequencer is killed, and everybody leaves or a stranger goes on

`observer` reads L1 and replays it, `party` are the users and what they must own, `report` tells what was found.
"""
