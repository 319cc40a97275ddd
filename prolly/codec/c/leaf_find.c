/* One record looked up in a leaf as it is stored, with nothing decoded. */

#include "leaf.h"

/* What stands before the places of keys and values. */
typedef struct {
    uint32_t count;
    uint32_t prefix_at;
    uint32_t prefix_size;
    uint32_t bits_at;
    uint32_t bits_size;
} Places;

#define PLACES_FRONT (Py_ssize_t)(sizeof(Places) / sizeof(uint32_t))

PyObject *
leaf_places(PyObject *Py_UNUSED(module), PyObject *given)
{
    Span chunk;
    Leaf leaf;
    Reader reader;
    if (take_bytes(given, &chunk) < 0) {
        return NULL;
    }
    if (read_front(chunk, &leaf, &reader) < 0) {
        unfit("no leaf");
        return NULL;
    }
    Py_ssize_t words = PLACES_FRONT + 2 * leaf.count;
    PyObject *made = PyBytes_FromStringAndSize(NULL, words * 4);
    if (made == NULL) {
        return NULL;
    }
    /* The bytes of such an object are aligned for any number. */
    uint32_t *places = (uint32_t *)(void *)PyBytes_AS_STRING(made);
    if (read_rest(chunk, &leaf, &reader, places + PLACES_FRONT) < 0) {
        Py_DECREF(made);
        unfit("no leaf");
        return NULL;
    }
    places[0] = (uint32_t)leaf.count;
    places[1] = (uint32_t)(leaf.prefix.data - chunk.data);
    places[2] = (uint32_t)leaf.prefix.size;
    places[3] = (uint32_t)(leaf.bits.data - chunk.data);
    places[4] = (uint32_t)leaf.bits.size;
    return made;
}

/* Read the string whose head stands at a place; -1 where there is none. */
static inline int
string_at(Span chunk, uint32_t place, Span *span)
{
    if (place > chunk.size) {
        return -1;
    }
    Reader reader = {chunk.data + place, chunk.data + chunk.size};
    return read_string(&reader, span);
}

/* Return the number of the entry with this key, -1 for none, -2 for odd places. */
static Py_ssize_t
find_entry(Span chunk, const uint32_t *places, Span key)
{
    Span prefix = {chunk.data + places[1], places[2]};
    if (key.size < prefix.size
        || memcmp(key.data, prefix.data, (size_t)prefix.size)) {
        return -1;
    }
    Span wanted = {key.data + prefix.size, key.size - prefix.size}, suffix;
    Py_ssize_t low = 0, high = places[0];
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (string_at(chunk, places[PLACES_FRONT + middle], &suffix) < 0) {
            return -2;
        }
        int order = compare(suffix, wanted);
        if (!order) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return -1;
}

PyObject *
leaf_find(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    Span chunk, packed, key, value;
    if (given != 4 || take_bytes(args[0], &chunk) < 0
        || take_bytes(args[1], &packed) < 0 || take_bytes(args[2], &key) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "leaf_find takes 4 arguments");
        }
        return NULL;
    }
    const uint32_t *places = (const uint32_t *)(const void *)packed.data;
    Py_ssize_t words = packed.size / 4;
    if (words < PLACES_FRONT || places[0] > (uint64_t)words / 2
        || words != PLACES_FRONT + 2 * (Py_ssize_t)places[0]
        || (uint64_t)places[1] + places[2] > (uint64_t)chunk.size
        || (uint64_t)places[3] + places[4] > (uint64_t)chunk.size) {
        unfit("places of another leaf");
        return NULL;
    }
    Py_ssize_t index = find_entry(chunk, places, key);
    if (index == -1) {
        Py_RETURN_NONE;
    }
    Span bits = {chunk.data + places[3], places[4]};
    if (index < 0
        || string_at(chunk, places[PLACES_FRONT + places[0] + index], &value) < 0
        || (bits.size && bits.size <= index >> 3)) {
        unfit("places of another leaf");
        return NULL;
    }
    return value_of(value, refers(bits, index), args[3]);
}
