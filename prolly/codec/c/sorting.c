/* Keys sorted with what stands under them.

   A comparison of two keys goes to two places in memory that nobody touched for long.
   So a number is taken from each, the eight bytes behind what all keys share, and the
   numbers are sorted: only of equal ones are the keys compared. */

#include "kernel.h"

#include <stdlib.h>

#define NUMBER_BYTES 8
/* How many places before its turn a key or a value is fetched. */
#define AHEAD 16

typedef struct {
    uint64_t number;
    /* The key, and which it was among the keys. */
    PyObject *key;
    Py_ssize_t index;
} Item;

static int
compare_items(const void *one, const void *other)
{
    const Item *left = one, *right = other;
    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    Py_ssize_t left_size = PyBytes_GET_SIZE(left->key);
    Py_ssize_t right_size = PyBytes_GET_SIZE(right->key);
    Py_ssize_t shared = left_size < right_size ? left_size : right_size;
    int order = memcmp(PyBytes_AS_STRING(left->key), PyBytes_AS_STRING(right->key),
                       (size_t)shared);
    return order ? order : (left_size > right_size) - (left_size < right_size);
}

/* Return how many bytes all keys share; -1 with Unfit where one is no bytes. */
static Py_ssize_t
shared_size(PyObject *keys)
{
    Span first = {NULL, 0}, key;
    Py_ssize_t shared = 0;
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(keys); index++) {
        PyObject *given = PyTuple_GET_ITEM(keys, index);
        if (!PyBytes_CheckExact(given)) {
            return unfit("a key is no bytes");
        }
        (void)take_bytes(given, &key);
        if (!index) {
            first = key;
            shared = key.size;
        }
        if (key.size < shared) {
            shared = key.size;
        }
        if (memcmp(first.data, key.data, (size_t)shared)) {
            Py_ssize_t place = 0;
            while (first.data[place] == key.data[place]) {
                place++;
            }
            shared = place;
        }
    }
    return shared;
}

/* Return the bytes behind the shared ones as a number; short keys end in zeros, so that
   those that are longer by zeros compare as equal and are looked at whole. */
static uint64_t
number_of(PyObject *key, Py_ssize_t shared)
{
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(key) + shared;
    Py_ssize_t size = PyBytes_GET_SIZE(key) - shared;
    uint64_t number = 0;
    for (Py_ssize_t place = 0; place < NUMBER_BYTES; place++) {
        number = number << 8 | (place < size ? data[place] : 0);
    }
    return number;
}

static inline void
fetch(const Item *items, Py_ssize_t place, Py_ssize_t count, PyObject *values)
{
#if defined(__GNUC__)
    if (place < count) {
        __builtin_prefetch(items[place].key, 1);
        __builtin_prefetch(PyTuple_GET_ITEM(values, items[place].index), 1);
    }
#else
    (void)items, (void)place, (void)count, (void)values;
#endif
}

/* Return (keys, values) in order, as lists. */
static PyObject *
in_order(const Item *items, PyObject *values)
{
    Py_ssize_t count = PyTuple_GET_SIZE(values);
    PyObject *keys = PyList_New(count);
    PyObject *stored = keys == NULL ? NULL : PyList_New(count);
    PyObject *both = stored == NULL ? NULL : PyTuple_Pack(2, keys, stored);
    for (Py_ssize_t place = 0; both != NULL && place < count; place++) {
        fetch(items, place + AHEAD, count, values);
        const Item *item = items + place;
        PyList_SET_ITEM(keys, place, Py_NewRef(item->key));
        PyObject *value = PyTuple_GET_ITEM(values, item->index);
        PyList_SET_ITEM(stored, place, Py_NewRef(value));
    }
    Py_XDECREF(stored);
    Py_XDECREF(keys);
    return both;
}

static PyObject *
sort_both(PyObject *keys, PyObject *values)
{
    Py_ssize_t count = PyTuple_GET_SIZE(keys);
    Py_ssize_t shared = shared_size(keys);
    if (shared < 0) {
        return NULL;
    }
    Item *items = PyMem_Calloc((size_t)count + 1, sizeof *items);
    if (items == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *key = PyTuple_GET_ITEM(keys, index);
        items[index] = (Item){number_of(key, shared), key, index};
    }
    qsort(items, (size_t)count, sizeof *items, compare_items);
    PyObject *both = in_order(items, values);
    PyMem_Free(items);
    return both;
}

PyObject *
sort_edits(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (given != 2) {
        PyErr_SetString(PyExc_TypeError, "sort_edits takes keys and values");
        return NULL;
    }
    PyObject *keys, *values;
    if (take_pair(args, &keys, &values) < 0) {
        return NULL;
    }
    PyObject *both = sort_both(keys, values);
    Py_DECREF(values);
    Py_DECREF(keys);
    return both;
}
