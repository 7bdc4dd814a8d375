"""The sequencer: admits, matches, executes, seals and stores orders, in one Trio process."""
