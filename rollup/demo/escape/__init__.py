"""The demonstration of the way out: the sequencer is killed, and everybody leaves with L1 alone.

    setting     windows, the stablecoin, what the variants have in common
    holdings    an honest day that leaves perps, futures, options and a debt open
    killing     the sequencer, killed; deposits that nobody will take
    machine     the user's machine: an empty folder, a key, and the program
    forcing     a withdrawal forced through L1, left to lie, and the freeze
    leaving     everybody is paid what the books say, to the unit
    reckoning   those books: what each account is worth, computed apart from all code that pays
    takeover    the variant in which a stranger goes on
    script      all of it in order

Nothing here asks a sequencer after it was killed; whatever is claimed of the outcome is read from L1.
"""
