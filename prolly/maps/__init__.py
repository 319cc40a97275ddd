"""Maps over the tree: ordered mappings of any values, blobs, and files in directories.

An ordered map turns encoded keys and stored values into Python's and back, one leaf at
a time; what it shares with tables (bounds, numbers, views, the end of a transaction) is
``SortedMapping`` over ``Records``. The room must not know of schemas, datasets,
commits or names: a map is a root, or a tree under edit.
"""

from .absent import ABSENT, Absent
from .blob import blob_length, iter_pieces, read_blob, write_blob
from .blob_edit import BlobEdit
from .blob_file import BlobFile, BlobReader
from .files import Files
from .files_add import AddResult
from .files_checkout import CheckoutResult
from .mutable_files import MutableFiles
from .mutable_map import MutableOrderedMap
from .ordered_map import OrderedMap
from .records import EditedRecords, Records, StoredRecords
from .sorted_mapping import SortedMapping, key_not_found
from .values import decode_value, decode_values, encode_value, encode_values
from .views import SortedItems, SortedKeys, SortedValues, Stretch

__all__ = [
    "ABSENT",
    "Absent",
    "AddResult",
    "BlobEdit",
    "BlobFile",
    "BlobReader",
    "CheckoutResult",
    "EditedRecords",
    "Files",
    "MutableFiles",
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
