"""Segments: read from JSON with every fault's exact path, and evaluated in plain Python."""

from retail_core.audiences.segments.holding import (
    DEEDS,
    SegmentMoment,
    SegmentSubject,
    age_bounds,
    decided_by,
    holds,
    leaf_holds,
    moment_bound,
)
from retail_core.audiences.segments.reading import (
    SEGMENT_BYTES_MAX,
    SEGMENT_DEPTH_MAX,
    SEGMENT_LEAVES_MAX,
    read_segment,
)

__all__ = [
    "DEEDS",
    "SEGMENT_BYTES_MAX",
    "SEGMENT_DEPTH_MAX",
    "SEGMENT_LEAVES_MAX",
    "SegmentMoment",
    "SegmentSubject",
    "age_bounds",
    "decided_by",
    "holds",
    "leaf_holds",
    "moment_bound",
    "read_segment",
]
