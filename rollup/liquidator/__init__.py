"""A liquidator: watches flagged accounts over the RPC and bids for their portfolios when that pays."""
