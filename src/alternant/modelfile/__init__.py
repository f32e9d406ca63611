"""Model files: named arrays and one dictionary in one `.safetensors` file. Knows nothing of models.

Layout (that of safetensors, which any of its readers opens): 8 bytes little-endian header length, a JSON
header padded with spaces, the data section. Every array starts on a multiple of 64 bytes of the file: readers
of safetensors refuse gaps, so the space between two arrays is an array of its own, named ``_padding.<n>``.
``__metadata__`` holds

    format          "alternant"
    format_version  "0": nothing is promised; a later version may refuse to read it
    content         the dictionary, as JSON
    sha256          of the data section
    header_sha256   of the rest of the header: sorted JSON without this entry

Files are written beside and renamed, and read through a memory map.
"""

from alternant.modelfile.reading import read
from alternant.modelfile.writing import write

__all__ = ["read", "write"]
