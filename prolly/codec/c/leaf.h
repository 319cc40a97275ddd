/* A leaf in its bytes, 01 [ prefix, [suffix, ...], [value, ...], reference_bits ]:
   where its fields stand, checked as far as what is done with them relies on it. Bytes
   of another form raise Unfit, and the twin tells what is wrong with them. */

#ifndef PROLLY_LEAF_H
#define PROLLY_LEAF_H

#include "kernel.h"

/* No key is longer; others are left to the twin. */
#define KEY_MAX 1024
/* Far above what a leaf takes, and far below where a place takes more than 32 bits. */
#define CHUNK_MAX (1 << 30)

typedef struct {
    Span prefix;
    Py_ssize_t count;
    /* The items of both arrays, with their heads. */
    Reader keys;
    Reader values;
    Span bits;
} Leaf;

static inline int
compare(Span one, Span other)
{
    Py_ssize_t shared = one.size < other.size ? one.size : other.size;
    int order = memcmp(one.data, other.data, (size_t)shared);
    return order ? order : (one.size > other.size) - (one.size < other.size);
}

static inline int
is_same(Span one, Span other)
{
    return one.size == other.size && !memcmp(one.data, other.data, (size_t)one.size);
}

/* Pass the keys; note their places in `places` unless that is NULL. -1 where they do
   not ascend, are too long, or share another prefix than the leaf says: what is done
   with them below relies on it. */
static inline int
pass_keys(Reader *reader, const Leaf *leaf, const uint8_t *chunk, uint32_t *places)
{
    Span first = {NULL, 0}, last = {NULL, 0};
    for (Py_ssize_t index = 0; index < leaf->count; index++) {
        Span before = last;
        if (places != NULL) {
            places[index] = (uint32_t)(reader->at - chunk);
        }
        if (read_string(reader, &last) < 0 || leaf->prefix.size + last.size > KEY_MAX
            || (index && compare(before, last) >= 0)) {
            return -1;
        }
        if (!index) {
            first = last;
        }
    }
    if (!leaf->count) {
        return leaf->prefix.size ? -1 : 0;
    }
    if (leaf->count == 1) {
        return first.size ? -1 : 0;
    }
    return first.size && *first.data == *last.data ? -1 : 0;
}

/* Pass the values; note their places in `places` unless that is NULL. */
static inline int
pass_values(Reader *reader, Py_ssize_t count, const uint8_t *chunk, uint32_t *places)
{
    Span value;
    for (Py_ssize_t index = 0; index < count; index++) {
        if (places != NULL) {
            places[index] = (uint32_t)(reader->at - chunk);
        }
        if (read_string(reader, &value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Read the fields before the keys; -1 where they are none. */
static inline int
read_front(Span chunk, Leaf *leaf, Reader *reader)
{
    if (chunk.size < 2 || chunk.size > CHUNK_MAX || chunk.data[0] != LEAF_MARK
        || chunk.data[1] != LEAF_FIELDS) {
        return -1;
    }
    *reader = (Reader){chunk.data + 2, chunk.data + chunk.size};
    if (read_string(reader, &leaf->prefix) < 0
        || read_array(reader, &leaf->count) < 0) {
        return -1;
    }
    return 0;
}

/* Read what stands behind the front; `places` is for keys, then values, or NULL. */
static inline int
read_rest(Span chunk, Leaf *leaf, Reader *reader, uint32_t *places)
{
    Py_ssize_t values;
    leaf->keys.at = reader->at;
    if (pass_keys(reader, leaf, chunk.data, places) < 0) {
        return -1;
    }
    leaf->keys.end = reader->at;
    if (read_array(reader, &values) < 0 || values != leaf->count) {
        return -1;
    }
    leaf->values.at = reader->at;
    uint32_t *value_places = places == NULL ? NULL : places + leaf->count;
    if (pass_values(reader, values, chunk.data, value_places) < 0) {
        return -1;
    }
    leaf->values.end = reader->at;
    if (read_string(reader, &leaf->bits) < 0 || reader->at != reader->end
        || (leaf->bits.size && leaf->bits.size != (values + 7) / 8)) {
        return -1;
    }
    return 0;
}

static inline int
take_leaf(PyObject *given, Leaf *leaf)
{
    Span chunk;
    Reader reader;
    if (take_bytes(given, &chunk) < 0) {
        return -1;
    }
    if (read_front(chunk, leaf, &reader) < 0
        || read_rest(chunk, leaf, &reader, NULL) < 0) {
        return unfit("no leaf");
    }
    return 0;
}

static inline int
refers(Span bits, Py_ssize_t index)
{
    return bits.size && bits.data[index >> 3] >> (index & 7) & 1;
}

static inline PyObject *
bytes_of(Span span)
{
    return PyBytes_FromStringAndSize((const char *)span.data, span.size);
}

/* Return a value as an object: of `referring`, a kind of bytes, if it refers. */
static inline PyObject *
value_of(Span value, int is_referring, PyObject *referring)
{
    PyObject *plain = bytes_of(value);
    if (plain == NULL || !is_referring) {
        return plain;
    }
    PyObject *made = PyObject_CallOneArg(referring, plain);
    Py_DECREF(plain);
    return made;
}

/* Read a string that was passed before: it is there, since bytes do not change. */
static inline Span
passed_string(Reader *reader)
{
    Span span = {reader->at, 0};
    (void)read_string(reader, &span);
    return span;
}

#endif
