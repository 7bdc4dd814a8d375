"""The sequencer's own part in risk: who must be flagged, settled, deleveraged or written off, and doing it.

Anybody may send these transactions, and what they do is the state transition's to decide. The sequencer sends them so
that nobody has to.
"""
