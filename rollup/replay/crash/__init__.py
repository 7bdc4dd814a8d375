"""A recorded crash with accounts at the limit of their margin: liquidation, fund and deleveraging at work, and checked.

candle ─► price, surfaces ─► the sequencer flags ─► liquidators bid ─► it deleverages ─► the inspector checks each block
"""
