/* What the parts of the kernel share: byte strings of CBOR, and a buffer that grows.

   The kernel does what prolly/codec does in Python, for whole nodes and batches, with
   the same results; where it meets anything unusual it raises Unfit, or returns None
   where its page says so, and the Python twin does the work and tells the error. */

#ifndef PROLLY_KERNEL_H
#define PROLLY_KERNEL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* To be raised with every change of what a function takes or returns; as _REVISION in
   kernel.py. */
#define KERNEL_REVISION 4

/* How a leaf begins: its mark, and the array of its fields. */
#define LEAF_MARK 0x01
#define LEAF_FIELDS 0x84
#define LEAF_HEAD_BYTES 2

/* Raised for bytes or values that are left to the Python twin. */
extern PyObject *Unfit;

/* Some bytes of a chunk, or of an object that outlives their use. */
typedef struct {
    const uint8_t *data;
    Py_ssize_t size;
} Span;

/* Where a reader stands in bytes, and where they end. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Reader;

/* Bytes that are being written. `data` is NULL before the first write. */
typedef struct {
    uint8_t *data;
    Py_ssize_t size;
    Py_ssize_t room;
} Buffer;

/* Raise Unfit and return -1. */
int unfit(const char *reason);

/* Take the bytes of an object; -1 with TypeError for another. */
int take_bytes(PyObject *given, Span *span);

/* Take keys and as many values, as tuples to be released: of a list the items that it
   has now, which somebody might change meanwhile. -1 with an error, and nothing held. */
int take_pair(PyObject *const *given, PyObject **keys, PyObject **values);

/* Read the head of an item of CBOR: its major type and its argument. -1 where the bytes
   end, or the argument has a shorter spelling or no definite one; no error is set. */
static inline int
read_head(Reader *reader, uint8_t *major, uint64_t *argument)
{
    /* What has an argument of 1, 2, 4 or 8 bytes because it does not fit into fewer. */
    static const uint64_t least[] = {24, 1u << 8, 1u << 16, (uint64_t)1 << 32};
    if (reader->at >= reader->end) {
        return -1;
    }
    uint8_t mark = *reader->at++;
    *major = mark >> 5;
    uint8_t low = mark & 31;
    if (low < 24) {
        *argument = low;
        return 0;
    }
    if (low > 27) {
        return -1;
    }
    int width = 1 << (low - 24);
    if (reader->end - reader->at < width) {
        return -1;
    }
    uint64_t number = 0;
    for (int place = 0; place < width; place++) {
        number = number << 8 | reader->at[place];
    }
    reader->at += width;
    *argument = number;
    /* Behind the last major type stands a float, which is no number that counts. */
    return number < least[low - 24] && *major != 7 ? -1 : 0;
}

/* Read the head of an array; -1 where there is none of less than 65,536 items, and no
   error is set. */
static inline int
read_array(Reader *reader, Py_ssize_t *count)
{
    uint8_t major;
    uint64_t size;
    if (read_head(reader, &major, &size) < 0 || major != 4 || size > 0xffff) {
        return -1;
    }
    *count = (Py_ssize_t)size;
    return 0;
}

/* Read a byte string; -1 where there is none of less than 65,536 bytes in its shortest
   spelling, and no error is set. */
static inline int
read_string(Reader *reader, Span *span)
{
    const uint8_t *at = reader->at;
    if (at < reader->end && *at >= 0x40 && *at < 0x58) {
        span->size = *at - 0x40;
        span->data = at + 1;
    }
    else if (reader->end - at >= 2 && *at == 0x58 && at[1] >= 24) {
        span->size = at[1];
        span->data = at + 2;
    }
    else if (reader->end - at >= 3 && *at == 0x59 && at[1]) {
        span->size = at[1] << 8 | at[2];
        span->data = at + 3;
    }
    else {
        return -1;
    }
    if (span->size > reader->end - span->data) {
        return -1;
    }
    reader->at = span->data + span->size;
    return 0;
}

/* Make room for more bytes; -1 with MemoryError. */
int reserve(Buffer *buffer, Py_ssize_t more);

/* Write what the caller made room for. */
static inline void
push_bytes(Buffer *buffer, const void *data, Py_ssize_t size)
{
    memcpy(buffer->data + buffer->size, data, (size_t)size);
    buffer->size += size;
}

static inline void
push_byte(Buffer *buffer, uint8_t byte)
{
    buffer->data[buffer->size++] = byte;
}

/* The most bytes that a head takes. */
#define HEAD_ROOM 9

/* Write the shortest head of a major type; the caller made room for HEAD_ROOM. */
static inline void
push_head(Buffer *buffer, uint8_t major, uint64_t argument)
{
    uint8_t mark = (uint8_t)(major << 5);
    int width;
    if (argument < 24) {
        push_byte(buffer, (uint8_t)(mark | argument));
        return;
    }
    if (argument < 1u << 8) {
        push_byte(buffer, (uint8_t)(mark | 24));
        width = 1;
    }
    else if (argument < 1u << 16) {
        push_byte(buffer, (uint8_t)(mark | 25));
        width = 2;
    }
    else if (argument < (uint64_t)1 << 32) {
        push_byte(buffer, (uint8_t)(mark | 26));
        width = 4;
    }
    else {
        push_byte(buffer, (uint8_t)(mark | 27));
        width = 8;
    }
    while (width--) {
        push_byte(buffer, (uint8_t)(argument >> 8 * width));
    }
}

/* Strings given as a list of bytes, or as (chunk, start, stride, count, skipped,
   prefix): as `EvenStrings.laid_out` returns them. */
typedef struct {
    /* The items of the list, which somebody might change meanwhile; to be released. */
    PyObject *listed;
    const uint8_t *even;
    Py_ssize_t stride;
    Py_ssize_t skipped;
    Py_ssize_t count;
    Span prefix;
} Strings;

/* Take strings from an argument; -1 with TypeError or ValueError, and nothing held. */
int take_strings(PyObject *given, Strings *strings);

/* Return what stands behind the prefix of one string, which must be there. -1 with
   TypeError where the list holds something else. */
static inline int
string_of(const Strings *strings, Py_ssize_t index, Span *span)
{
    if (strings->listed == NULL) {
        span->data = strings->even + index * strings->stride + strings->skipped;
        span->size = strings->stride - strings->skipped;
        return 0;
    }
    return take_bytes(PyTuple_GET_ITEM(strings->listed, index), span);
}

/* Take the UTF-8 of a text. What holds it, if it is not the text itself, is returned in
   `owner`, to be released; a text of other characters would keep its UTF-8 for good. */
static inline int
text_of(PyObject *text, Span *raw, PyObject **owner)
{
    *owner = NULL;
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        raw->data = PyUnicode_DATA(text);
        raw->size = PyUnicode_GET_LENGTH(text);
        return 0;
    }
    *owner = PyUnicode_AsUTF8String(text);
    if (*owner == NULL) {
        return -1;
    }
    raw->data = (const uint8_t *)PyBytes_AS_STRING(*owner);
    raw->size = PyBytes_GET_SIZE(*owner);
    return 0;
}

PyObject *leaf_places(PyObject *module, PyObject *chunk);
PyObject *leaf_find(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *leaf_edit(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *leaf_changes(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *encode_rows(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *decode_rows(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *decode_row(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *encode_keys(PyObject *module, PyObject *keys);
PyObject *decode_keys(PyObject *module, PyObject *keys);
PyObject *leaf_records(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *leaf_overwrite(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *leaf_encode(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *sort_edits(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *columns_of(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *are_plain(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
