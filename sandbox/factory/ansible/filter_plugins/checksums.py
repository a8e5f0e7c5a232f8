"""Filters that shape values for tasks."""


def with_checksum(pair):
    """(plugin, sha256) -> the plugin's catalog entry."""
    plugin, checksum = pair
    return {**plugin, "sha256": checksum}


class FilterModule:
    def filters(self):
        return {"with_checksum": with_checksum}
