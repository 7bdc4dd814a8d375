"""The exchange's methods, by subject; `rollup.rpc.exchange` registers them all."""
