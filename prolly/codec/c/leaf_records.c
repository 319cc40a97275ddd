/* All records of a leaf taken out at once. */

#include "leaf.h"

/* Return a key of the leaf, whole. */
static PyObject *
whole_of(Span prefix, Span suffix)
{
    PyObject *key = PyBytes_FromStringAndSize(NULL, prefix.size + suffix.size);
    if (key != NULL) {
        char *data = PyBytes_AS_STRING(key);
        memcpy(data, prefix.data, (size_t)prefix.size);
        memcpy(data + prefix.size, suffix.data, (size_t)suffix.size);
    }
    return key;
}

static int
fill_records(Leaf *leaf, PyObject *keys, PyObject *values, PyObject *referring)
{
    for (Py_ssize_t index = 0; index < leaf->count; index++) {
        PyObject *key = whole_of(leaf->prefix, passed_string(&leaf->keys));
        if (key == NULL) {
            return -1;
        }
        PyList_SET_ITEM(keys, index, key);
        int is_referring = refers(leaf->bits, index);
        PyObject *value = value_of(passed_string(&leaf->values), is_referring,
                                   referring);
        if (value == NULL) {
            return -1;
        }
        PyList_SET_ITEM(values, index, value);
    }
    return 0;
}

PyObject *
leaf_records(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    Leaf leaf;
    if (given != 2) {
        PyErr_SetString(PyExc_TypeError, "leaf_records takes 2 arguments");
        return NULL;
    }
    if (take_leaf(args[0], &leaf) < 0) {
        return NULL;
    }
    PyObject *keys = PyList_New(leaf.count);
    PyObject *values = keys == NULL ? NULL : PyList_New(leaf.count);
    PyObject *both = NULL;
    if (values != NULL && fill_records(&leaf, keys, values, args[1]) == 0) {
        both = PyTuple_Pack(2, keys, values);
    }
    Py_XDECREF(values);
    Py_XDECREF(keys);
    return both;
}
