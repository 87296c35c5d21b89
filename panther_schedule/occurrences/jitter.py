"""How far an occurrence is moved by jitter: the same in every process, without a random number."""

from __future__ import annotations


def spread(key: str, scheduled_at: int, limit: int) -> int:
    """Return a delay from zero to below `limit`, in microseconds; a `limit` of zero gives zero."""
    if limit <= 0:
        return 0
    from hashlib import blake2b  # noqa: PLC0415 - it takes 2 ms to import, and few tasks have jitter

    drawn = blake2b(f"{key}\0{scheduled_at}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(drawn, "big") % limit
