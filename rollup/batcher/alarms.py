"""What an operator should look at now: raised and cleared by key, logged once per change, shown in the status."""

from __future__ import annotations

import structlog

log = structlog.get_logger(__name__)


class Alarms:
    """The alarms that stand, by key."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}

    def raise_(self, key: str, text: str) -> None:
        """Raise an alarm, or renew its text."""
        if self._standing.get(key) != text:
            log.warning("alarm", alarm=key, text=text)
        self._standing[key] = text

    def clear(self, key: str) -> None:
        """The cause is gone."""
        if self._standing.pop(key, None) is not None:
            log.info("alarm_cleared", alarm=key)

    def texts(self) -> tuple[str, ...]:
        """All standing alarms, as `key: text`."""
        return tuple(f"{key}: {text}" for key, text in self._standing.items())
