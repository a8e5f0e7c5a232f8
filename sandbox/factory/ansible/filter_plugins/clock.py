"""Instants as Kubernetes writes them."""
from datetime import datetime, timezone


def powered_on(epoch):
    """Seconds since 1970, as a shell prints them -> 2026-01-31T12:00:00Z."""
    return datetime.fromtimestamp(int(epoch), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class FilterModule:
    def filters(self):
        return {"powered_on": powered_on}
