"""What writer and reader of model files must agree on."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FORMAT = "alternant"
FORMAT_VERSION = 0
SUFFIX = ".safetensors"

ALIGNMENT = 64
LONGEST_HEADER = 100_000_000  # the limit of the official reader
PADDING = "_padding."
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "I64": "<i8",
    "I32": "<i4",
    "U64": "<u8",
    "U8": "|u1",
}


def header_digest(header: Mapping[str, Any]) -> str:
    """Return the checksum of a header without ``header_sha256``, the same however it was written."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
