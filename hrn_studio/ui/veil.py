"""What the card over a lost source says."""

from __future__ import annotations

import time
from datetime import datetime

from hrn_studio.live.feed import FeedStatus


def veil_words(status: FeedStatus, has_source: bool) -> tuple[str, list[str], str]:
    """Title, lines and icon of the card over a source that is gone."""
    if status.phase == "refused":
        title, first = "Camera not available", "It is in use, missing or not allowed"
    elif status.phase == "failed":
        title, first = "Source gone", "It was moved, or its drive was removed"
    else:
        when = datetime.now().timestamp() - (time.monotonic() - status.since_s)
        title = "Camera lost"
        first = f"Last picture, {datetime.fromtimestamp(when):%H:%M:%S}"
    lines = [first]
    left = status.retry_at_s - time.monotonic()
    if status.retry_at_s:
        lines.append(f"Trying again in {max(1, round(left))} s" if left > 0 else "Trying again")
    return title, lines, "plug"
