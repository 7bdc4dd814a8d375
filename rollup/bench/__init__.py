"""Speed, measured: what `rollup bench` runs. Every rate is also given as a ratio to signature recovery on one thread.

Recovery is the one cost that no implementation of such a rollup can avoid, and it scales with the machine like all the
rest: ratios of one run can be compared between machines, rates cannot.
"""
