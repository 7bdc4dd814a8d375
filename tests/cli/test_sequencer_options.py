"""Every key of a sequencer's configuration reaches the sequencer."""

from __future__ import annotations

from pathlib import Path

from rollup.cli.sequencer import options_of
from rollup.config import KeySource, L1Config, SequencerConfig
from rollup.l1.devkeys import dev_key


def test_each_configured_rhythm_and_place_is_the_sequencers() -> None:
    """None is left at the default of somebody else."""
    key = KeySource("dev:1", "dev:1")
    config = SequencerConfig(
        data=Path("place"), key=key, block_seconds=0.25, batch_seconds=9.0, batch_bytes=12_345, rehearsal_seconds=7.0
    )
    options = options_of(
        config, L1Config(url="http://127.0.0.1:1", confirmations=3, export=Path("past")), b"\x07" * 20, key
    )
    assert (options.data_dir, options.l1_url, options.rollup) == (Path("place"), "http://127.0.0.1:1", b"\x07" * 20)
    assert (options.block_interval, options.batch_interval, options.batch_bytes) == (0.25, 9.0, 12_345)
    assert options.export == Path("past")
    assert (options.confirmations, options.rehearsal_interval, options.key) == (3, 7.0, dev_key(1))
