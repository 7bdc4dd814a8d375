"""The way out: what a user needs to leave with L1 alone, without a sequencer, an operator or a data folder.

contracts, clock   the deployment by its address; L1's time
situation, ways    what L1 says is possible now, in figures and in words
payloads, forcing  transactions sent through L1, which the chain must take
outcome, reasons   what became of them
room               what may leave an account, and what a forced transaction would do now
estate, holdings   what accounts are worth in the end state, how that is proven, and what was paid of it
plan, rescue       the steps that get the money out of a frozen chain, or of one in any state
sending, walking   send what is due and plan anew, so that nothing is lost and nothing done twice
leaving            the commands: freeze, leave
"""
