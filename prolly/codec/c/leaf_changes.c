/* Where two leaves differ, found in their bytes. */

#include "leaf.h"

/* The entries of a leaf one by one, each with its whole key. */
typedef struct {
    Leaf leaf;
    Py_ssize_t index;
    Span key;
    Span value;
    uint8_t whole[KEY_MAX];
} Entries;

/* Go to the next entry; 0 behind the last one. */
static int
next_entry(Entries *entries)
{
    Leaf *leaf = &entries->leaf;
    if (++entries->index >= leaf->count) {
        return 0;
    }
    Span suffix = passed_string(&leaf->keys);
    entries->value = passed_string(&leaf->values);
    memcpy(entries->whole + leaf->prefix.size, suffix.data, (size_t)suffix.size);
    entries->key.size = leaf->prefix.size + suffix.size;
    return 1;
}

/* Go to the first entry of a leaf; 0 where there is none, -1 with an error. */
static int
first_entry(PyObject *given, Entries *entries)
{
    Leaf *leaf = &entries->leaf;
    if (take_leaf(given, leaf) < 0) {
        return -1;
    }
    memcpy(entries->whole, leaf->prefix.data, (size_t)leaf->prefix.size);
    entries->key.data = entries->whole;
    entries->index = -1;
    return next_entry(entries);
}

static PyObject *
value_here(const Entries *entries, PyObject *referring)
{
    if (entries == NULL) {
        return Py_NewRef(Py_None);
    }
    int is_referring = refers(entries->leaf.bits, entries->index);
    return value_of(entries->value, is_referring, referring);
}

/* Add (key, old, new) to a list; a side that lacks the key is NULL. */
static int
add_change(PyObject *found, const Entries *old, const Entries *new,
           PyObject *referring)
{
    PyObject *key = bytes_of(old != NULL ? old->key : new->key);
    PyObject *before = key != NULL ? value_here(old, referring) : NULL;
    PyObject *after = before != NULL ? value_here(new, referring) : NULL;
    PyObject *change = after != NULL ? PyTuple_Pack(3, key, before, after) : NULL;
    int failed = change == NULL || PyList_Append(found, change) < 0;
    Py_XDECREF(change);
    Py_XDECREF(after);
    Py_XDECREF(before);
    Py_XDECREF(key);
    return failed ? -1 : 0;
}

static int
is_same_value(const Entries *old, const Entries *new)
{
    return is_same(old->value, new->value)
           && refers(old->leaf.bits, old->index) == refers(new->leaf.bits, new->index);
}

/* Add all changes between two leaves; -1 with an error. */
static int
add_changes(PyObject *found, Entries *old, Entries *new, int old_left, int new_left,
            PyObject *referring)
{
    while (old_left || new_left) {
        int order = !old_left   ? 1
                    : !new_left ? -1
                                : compare(old->key, new->key);
        Entries *before = order <= 0 ? old : NULL, *after = order >= 0 ? new : NULL;
        if ((order || !is_same_value(old, new))
            && add_change(found, before, after, referring) < 0) {
            return -1;
        }
        if (before != NULL) {
            old_left = next_entry(old);
        }
        if (after != NULL) {
            new_left = next_entry(new);
        }
    }
    return 0;
}

PyObject *
leaf_changes(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    Entries old, new;
    if (given != 3) {
        PyErr_SetString(PyExc_TypeError, "leaf_changes takes 3 arguments");
        return NULL;
    }
    int old_left = first_entry(args[0], &old);
    int new_left = old_left < 0 ? -1 : first_entry(args[1], &new);
    if (old_left < 0 || new_left < 0) {
        return NULL;
    }
    PyObject *found = PyList_New(0);
    if (found != NULL
        && add_changes(found, &old, &new, old_left, new_left, args[2]) < 0) {
        Py_CLEAR(found);
    }
    return found;
}
