/* Values of a leaf written over by others of the same lengths. */

#include "leaf.h"

/* Values that are to be written over others of the same keys and lengths. */
typedef struct {
    PyObject *keys;
    PyObject *values;
    Py_ssize_t next;
    Py_ssize_t stop;
    /* The key that is next, without the prefix of the leaf, and its value. */
    Span suffix;
    Span value;
} Edits;

/* Take the next edit; 0 where it is none that only writes over a value. */
static int
take_edit(Edits *edits, Span prefix)
{
    PyObject *key = PyList_GET_ITEM(edits->keys, edits->next);
    PyObject *value = PyList_GET_ITEM(edits->values, edits->next);
    if (!PyBytes_CheckExact(key) || !PyBytes_CheckExact(value)
        || PyBytes_GET_SIZE(key) < prefix.size
        || memcmp(PyBytes_AS_STRING(key), prefix.data, (size_t)prefix.size)) {
        return 0;
    }
    (void)take_bytes(key, &edits->suffix);
    (void)take_bytes(value, &edits->value);
    edits->suffix.data += prefix.size;
    edits->suffix.size -= prefix.size;
    return 1;
}

/* Write the values into the copy of a leaf. 1 where something changed, 0 where nothing
   did, -1 where an edit does more. */
static int
write_over(Leaf *leaf, Edits *edits, const uint8_t *chunk, uint8_t *copy)
{
    int is_changed = 0;
    Py_ssize_t index = 0;
    while (edits->next < edits->stop) {
        if (!take_edit(edits, leaf->prefix)) {
            return -1;
        }
        Span suffix, value;
        int order = -1;
        while (order < 0 && index < leaf->count) {
            suffix = passed_string(&leaf->keys);
            value = passed_string(&leaf->values);
            order = compare(suffix, edits->suffix);
            index++;
        }
        if (order || value.size != edits->value.size
            || refers(leaf->bits, index - 1)) {
            return -1;
        }
        if (!is_same(value, edits->value)) {
            is_changed = 1;
            memcpy(copy + (value.data - chunk), edits->value.data,
                   (size_t)value.size);
        }
        edits->next++;
    }
    return is_changed;
}

PyObject *
leaf_overwrite(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    Leaf leaf;
    Span chunk;
    if (given != 5 || !PyList_Check(args[1]) || !PyList_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "leaf_overwrite takes a leaf, lists, places");
        return NULL;
    }
    Edits edits = {.keys = args[1], .values = args[2]};
    edits.next = PyLong_AsSsize_t(args[3]);
    edits.stop = PyLong_AsSsize_t(args[4]);
    if (PyErr_Occurred() || take_leaf(args[0], &leaf) < 0) {
        return NULL;
    }
    if (edits.next < 0 || edits.stop > PyList_GET_SIZE(edits.keys)
        || edits.stop > PyList_GET_SIZE(edits.values)) {
        PyErr_SetString(PyExc_ValueError, "no edits at these places");
        return NULL;
    }
    (void)take_bytes(args[0], &chunk);
    PyObject *made = PyBytes_FromStringAndSize((const char *)chunk.data, chunk.size);
    if (made == NULL) {
        return NULL;
    }
    int found = write_over(&leaf, &edits, chunk.data,
                           (uint8_t *)PyBytes_AS_STRING(made));
    if (found > 0) {
        return made;
    }
    Py_DECREF(made);
    if (found < 0) {
        unfit("an edit does more than to write over a value");
        return NULL;
    }
    return PyBytes_FromStringAndSize(NULL, 0);
}
