"""Maps over the tree: ordered mappings of any values, and blobs for long ones.

An ordered map turns encoded keys and stored values into Python's and back, one leaf at
a time; what it shares with tables (bounds, numbers, views, the end of a transaction) is
``SortedMapping`` over ``Records``. The room must not know of schemas, datasets,
commits or names: a map is a root, or a tree under edit.
"""

from .absent import ABSENT, Absent
from .blob import blob_length, iter_pieces, read_blob, write_blob
from .mutable_map import MutableOrderedMap
from .ordered_map import OrderedMap
from .records import EditedRecords, Records, StoredRecords
from .sorted_mapping import SortedMapping, key_not_found
from .values import decode_value, decode_values, encode_value, encode_values
from .views import SortedItems, SortedKeys, SortedValues, Stretch

__all__ = [
    "ABSENT",
    "Absent",
    "EditedRecords",
    "MutableOrderedMap",
    "OrderedMap",
    "Records",
    "SortedItems",
    "SortedKeys",
    "SortedMapping",
    "SortedValues",
    "StoredRecords",
    "Stretch",
    "blob_length",
    "decode_value",
    "decode_values",
    "encode_value",
    "encode_values",
    "iter_pieces",
    "key_not_found",
    "read_blob",
    "write_blob",
]
