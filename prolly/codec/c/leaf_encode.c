/* A leaf out of its records: 0x01, then CBOR [ prefix, suffixes, values, bits ].

   How many bytes it takes is counted first, so that they are written once, where they
   stay. */

#include "kernel.h"

/* What the leaf is made of, all of it taken apart. */
typedef struct {
    PyObject *keys;
    PyObject *values;
    /* The type of values that refer. */
    PyObject *referring;
    Py_ssize_t count;
    Py_ssize_t shared;
    Py_ssize_t bits;
} Records;

static Py_ssize_t
head_size(Py_ssize_t argument)
{
    return argument < 24 ? 1 : argument < 1 << 8 ? 2 : argument < 1 << 16 ? 3 : 5;
}

/* Take a key or a value: bytes, or with `referring` of that type. */
static int
take_string(PyObject *given, PyObject *referring, Span *span)
{
    if (!PyBytes_CheckExact(given) && (PyObject *)Py_TYPE(given) != referring) {
        return unfit("a key or a value is no bytes");
    }
    return take_bytes(given, span);
}

/* Find out what all keys share, which is what the first and the last do. */
static int
find_prefix(Records *records)
{
    Span first, last;
    records->shared = 0;
    if (!records->count) {
        return 0;
    }
    PyObject *end = PyTuple_GET_ITEM(records->keys, records->count - 1);
    if (take_string(PyTuple_GET_ITEM(records->keys, 0), NULL, &first) < 0
        || take_string(end, NULL, &last) < 0) {
        return -1;
    }
    Py_ssize_t least = first.size < last.size ? first.size : last.size;
    while (records->shared < least
           && first.data[records->shared] == last.data[records->shared]) {
        records->shared++;
    }
    return 0;
}

/* Return how many bytes the leaf takes; -1 with Unfit. */
static Py_ssize_t
count_bytes(Records *records)
{
    Span key, value;
    int any = 0;
    Py_ssize_t size = LEAF_HEAD_BYTES + head_size(records->shared) + records->shared
                      + 2 * head_size(records->count);
    for (Py_ssize_t index = 0; index < records->count; index++) {
        PyObject *stored = PyTuple_GET_ITEM(records->values, index);
        if (take_string(PyTuple_GET_ITEM(records->keys, index), NULL, &key) < 0
            || take_string(stored, records->referring, &value) < 0) {
            return -1;
        }
        any |= (PyObject *)Py_TYPE(stored) == records->referring;
        Py_ssize_t suffix = key.size - records->shared;
        if (suffix < 0 || value.size > INT32_MAX || key.size > INT32_MAX) {
            return unfit("a key is shorter than the prefix, or a string too long");
        }
        size += head_size(suffix) + suffix + head_size(value.size) + value.size;
    }
    records->bits = any ? (records->count + 7) / 8 : 0;
    return size + head_size(records->bits) + records->bits;
}

static void
write_keys(Buffer *buffer, const Records *records)
{
    push_head(buffer, 4, (uint64_t)records->count);
    for (Py_ssize_t index = 0; index < records->count; index++) {
        PyObject *key = PyTuple_GET_ITEM(records->keys, index);
        Py_ssize_t size = PyBytes_GET_SIZE(key) - records->shared;
        push_head(buffer, 2, (uint64_t)size);
        push_bytes(buffer, PyBytes_AS_STRING(key) + records->shared, size);
    }
}

static void
write_values(Buffer *buffer, const Records *records)
{
    push_head(buffer, 4, (uint64_t)records->count);
    for (Py_ssize_t index = 0; index < records->count; index++) {
        PyObject *value = PyTuple_GET_ITEM(records->values, index);
        push_head(buffer, 2, (uint64_t)PyBytes_GET_SIZE(value));
        push_bytes(buffer, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
    }
    push_head(buffer, 2, (uint64_t)records->bits);
    uint8_t *marks = buffer->data + buffer->size;
    memset(marks, 0, (size_t)records->bits);
    buffer->size += records->bits;
    for (Py_ssize_t index = 0; records->bits && index < records->count; index++) {
        PyObject *value = PyTuple_GET_ITEM(records->values, index);
        if ((PyObject *)Py_TYPE(value) == records->referring) {
            marks[index >> 3] |= (uint8_t)(1 << (index & 7));
        }
    }
}

static PyObject *
leaf_of(Records *records)
{
    if (find_prefix(records) < 0) {
        return NULL;
    }
    Py_ssize_t size = count_bytes(records);
    PyObject *chunk = size < 0 ? NULL : PyBytes_FromStringAndSize(NULL, size);
    if (chunk == NULL) {
        return NULL;
    }
    Buffer buffer = {(uint8_t *)PyBytes_AS_STRING(chunk), 0, size};
    push_byte(&buffer, LEAF_MARK);
    push_byte(&buffer, LEAF_FIELDS);
    push_head(&buffer, 2, (uint64_t)records->shared);
    if (records->count) {
        push_bytes(&buffer, PyBytes_AS_STRING(PyTuple_GET_ITEM(records->keys, 0)),
                   records->shared);
    }
    write_keys(&buffer, records);
    write_values(&buffer, records);
    return chunk;
}

PyObject *
leaf_encode(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (given != 3) {
        PyErr_SetString(PyExc_TypeError, "leaf_encode takes 3 arguments");
        return NULL;
    }
    Records records = {.referring = args[2]};
    if (take_pair(args, &records.keys, &records.values) < 0) {
        return NULL;
    }
    PyObject *chunk = NULL;
    records.count = PyTuple_GET_SIZE(records.keys);
    if (records.count > 0xffff) {
        unfit("more records than a leaf is read with");
    }
    else {
        chunk = leaf_of(&records);
    }
    Py_DECREF(records.values);
    Py_DECREF(records.keys);
    return chunk;
}
