/* A leaf under edits: new bytes out of the old, and what moved. */

#include "leaf.h"

/* What an entry weighs beyond its key and value, as the page on trees says. */
#define ENTRY_OVERHEAD 8

/* An entry of the leaf that is made: an old one behind the old prefix, or a new one. */
typedef struct {
    Span key;
    Span value;
    uint8_t is_new;
    uint8_t refers;
} Entry;

typedef struct {
    Leaf old;
    Py_ssize_t next_old;
    Entry ahead;
    /* The key of the last edit. */
    Span last;
    PyObject *referring;
    Entry *entries;
    Py_ssize_t count;
    /* The weight of all entries so far. */
    Py_ssize_t sum;
    PyObject *inserted;
    int is_changed;
    Py_ssize_t moved;
    Py_ssize_t lighter;
    Py_ssize_t heavier;
} Edit;

/* Read the next old entry into `ahead`, if there is one. */
static void
read_ahead(Edit *edit)
{
    if (edit->next_old >= edit->old.count) {
        return;
    }
    edit->ahead.refers = (uint8_t)refers(edit->old.bits, edit->next_old);
    edit->ahead.is_new = 0;
    edit->ahead.key = passed_string(&edit->old.keys);
    edit->ahead.value = passed_string(&edit->old.values);
}

static Py_ssize_t
weight_of(const Edit *edit, const Entry *entry)
{
    Py_ssize_t shared = entry->is_new ? 0 : edit->old.prefix.size;
    return shared + entry->key.size + entry->value.size + ENTRY_OVERHEAD;
}

static void
keep(Edit *edit, Entry entry)
{
    edit->sum += weight_of(edit, &entry);
    edit->entries[edit->count++] = entry;
}

/* Keep the old entry ahead, and read on. */
static void
keep_ahead(Edit *edit)
{
    keep(edit, edit->ahead);
    edit->next_old++;
    read_ahead(edit);
}

/* Tell how the key of the old entry ahead compares with another. */
static int
compare_ahead(const Edit *edit, Span key)
{
    Span prefix = edit->old.prefix;
    Py_ssize_t shared = prefix.size < key.size ? prefix.size : key.size;
    int order = memcmp(prefix.data, key.data, (size_t)shared);
    if (order) {
        return order;
    }
    if (key.size < prefix.size) {
        return 1;
    }
    Span rest = {key.data + prefix.size, key.size - prefix.size};
    return compare(edit->ahead.key, rest);
}

static int
insert(Edit *edit, Entry entry)
{
    keep(edit, entry);
    PyObject *one = Py_BuildValue("(y#n)", entry.key.data, entry.key.size, edit->sum);
    if (one == NULL) {
        return -1;
    }
    int failed = PyList_Append(edit->inserted, one);
    Py_DECREF(one);
    edit->is_changed = 1;
    edit->moved += weight_of(edit, &entry);
    return failed;
}

/* Put a value over that of the entry ahead. */
static void
overwrite(Edit *edit, Entry entry)
{
    const Entry *ahead = &edit->ahead;
    if (!is_same(entry.value, ahead->value) || entry.refers != ahead->refers) {
        edit->is_changed = 1;
    }
    edit->moved += entry.value.size - ahead->value.size;
    entry.key = ahead->key;
    entry.is_new = 0;
    keep(edit, entry);
}

static int
apply_edit(Edit *edit, PyObject *given_key, PyObject *given_value)
{
    Entry entry = {.is_new = 1};
    int order = 1;
    if (take_bytes(given_key, &entry.key) < 0) {
        return -1;
    }
    /* All that is done with the entries relies on their order, too. */
    if (entry.key.size > KEY_MAX
        || (edit->last.data != NULL && compare(edit->last, entry.key) >= 0)) {
        return unfit("a key that is too long, or not behind the last one");
    }
    edit->last = entry.key;
    while (edit->next_old < edit->old.count
           && (order = compare_ahead(edit, entry.key)) < 0) {
        keep_ahead(edit);
    }
    int is_there = edit->next_old < edit->old.count && !order;
    if (given_value == Py_None) {
        if (is_there) {
            edit->is_changed = 1;
            edit->moved -= weight_of(edit, &edit->ahead);
        }
    }
    else {
        if (take_bytes(given_value, &entry.value) < 0) {
            return -1;
        }
        entry.refers = Py_TYPE(given_value) == (PyTypeObject *)edit->referring;
        if (is_there) {
            overwrite(edit, entry);
        }
        else if (insert(edit, entry) < 0) {
            return -1;
        }
    }
    if (edit->moved < edit->lighter) {
        edit->lighter = edit->moved;
    }
    if (edit->moved > edit->heavier) {
        edit->heavier = edit->moved;
    }
    if (is_there) {
        edit->next_old++;
        read_ahead(edit);
    }
    return 0;
}

/* Write the whole key of an entry to `whole`, which has room for a key. */
static Span
whole_key(const Edit *edit, const Entry *entry, uint8_t *whole)
{
    Py_ssize_t shared = entry->is_new ? 0 : edit->old.prefix.size;
    memcpy(whole, edit->old.prefix.data, (size_t)shared);
    memcpy(whole + shared, entry->key.data, (size_t)entry->key.size);
    return (Span){whole, shared + entry->key.size};
}

/* Write the keys without the prefix that they have now. */
static void
push_suffixes(Buffer *buffer, const Edit *edit, Py_ssize_t prefix_size)
{
    Span old_prefix = edit->old.prefix;
    for (Py_ssize_t index = 0; index < edit->count; index++) {
        const Entry *entry = edit->entries + index;
        Py_ssize_t before = entry->is_new ? 0 : old_prefix.size;
        Py_ssize_t size = before + entry->key.size - prefix_size;
        Py_ssize_t from_prefix = before > prefix_size ? before - prefix_size : 0;
        push_head(buffer, 2, (uint64_t)size);
        if (from_prefix) {
            push_bytes(buffer, old_prefix.data + prefix_size, from_prefix);
        }
        push_bytes(buffer, entry->key.data + entry->key.size - (size - from_prefix),
                   size - from_prefix);
    }
}

static void
push_values(Buffer *buffer, const Edit *edit)
{
    int any = 0;
    for (Py_ssize_t index = 0; index < edit->count; index++) {
        const Entry *entry = edit->entries + index;
        any |= entry->refers;
        push_head(buffer, 2, (uint64_t)entry->value.size);
        push_bytes(buffer, entry->value.data, entry->value.size);
    }
    Py_ssize_t bits = any ? (edit->count + 7) / 8 : 0;
    push_head(buffer, 2, (uint64_t)bits);
    uint8_t *marks = buffer->data + buffer->size;
    memset(marks, 0, (size_t)bits);
    buffer->size += bits;
    for (Py_ssize_t index = 0; any && index < edit->count; index++) {
        marks[index >> 3] |= (uint8_t)(edit->entries[index].refers << (index & 7));
    }
}

/* Return the bytes of the leaf, all of whose keys share `prefix` and no more. */
static PyObject *
encode_entries(const Edit *edit, Span prefix)
{
    Buffer buffer = {NULL, 0, 0};
    /* Heads of the leaf and its fields; then each entry with two heads and a bit. */
    Py_ssize_t room = prefix.size + 8 * HEAD_ROOM + edit->sum
                      + edit->count * 2 * HEAD_ROOM;
    if (reserve(&buffer, room) < 0) {
        return NULL;
    }
    push_byte(&buffer, LEAF_MARK);
    push_byte(&buffer, LEAF_FIELDS);
    push_head(&buffer, 2, (uint64_t)prefix.size);
    push_bytes(&buffer, prefix.data, prefix.size);
    push_head(&buffer, 4, (uint64_t)edit->count);
    push_suffixes(&buffer, edit, prefix.size);
    push_head(&buffer, 4, (uint64_t)edit->count);
    push_values(&buffer, edit);
    PyObject *chunk = PyBytes_FromStringAndSize((char *)buffer.data, buffer.size);
    PyMem_Free(buffer.data);
    return chunk;
}

/* Return (chunk, records, last key, inserted, lighter, heavier, grown). */
static PyObject *
edited(const Edit *edit)
{
    uint8_t first_room[KEY_MAX], last_room[KEY_MAX];
    Span first = {first_room, 0}, last = {last_room, 0};
    PyObject *chunk;
    if (!edit->is_changed) {
        chunk = PyBytes_FromStringAndSize(NULL, 0);
    }
    else {
        if (edit->count) {
            first = whole_key(edit, edit->entries, first_room);
            last = whole_key(edit, edit->entries + edit->count - 1, last_room);
        }
        Py_ssize_t shared = 0;
        while (shared < first.size && shared < last.size
               && first.data[shared] == last.data[shared]) {
            shared++;
        }
        chunk = encode_entries(edit, (Span){first.data, shared});
    }
    if (chunk == NULL) {
        return NULL;
    }
    return Py_BuildValue("(Nny#Onnn)", chunk, edit->count, last.data, last.size,
                         edit->inserted, -edit->lighter, edit->heavier, edit->moved);
}

static int
apply_edits(Edit *edit, PyObject *keys, PyObject *values)
{
    read_ahead(edit);
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(keys); index++) {
        PyObject *key = PyTuple_GET_ITEM(keys, index);
        if (apply_edit(edit, key, PyTuple_GET_ITEM(values, index)) < 0) {
            return -1;
        }
    }
    while (edit->next_old < edit->old.count) {
        keep_ahead(edit);
    }
    return 0;
}

/* Return the leaf under edits, as many values as keys. */
static PyObject *
edit_leaf(Edit *edit, PyObject *keys, PyObject *values)
{
    PyObject *made = NULL;
    Py_ssize_t most = edit->old.count + PyTuple_GET_SIZE(keys) + 1;
    edit->entries = PyMem_Calloc((size_t)most, sizeof *edit->entries);
    if (edit->entries == NULL) {
        return PyErr_NoMemory();
    }
    edit->inserted = PyList_New(0);
    if (edit->inserted != NULL && apply_edits(edit, keys, values) == 0) {
        made = edited(edit);
    }
    PyMem_Free(edit->entries);
    Py_XDECREF(edit->inserted);
    return made;
}

PyObject *
leaf_edit(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (given != 4) {
        PyErr_SetString(PyExc_TypeError, "leaf_edit takes 4 arguments");
        return NULL;
    }
    Edit edit = {.referring = args[3]};
    if (take_leaf(args[0], &edit.old) < 0) {
        return NULL;
    }
    PyObject *keys, *values;
    if (take_pair(args + 1, &keys, &values) < 0) {
        return NULL;
    }
    PyObject *made = edit_leaf(&edit, keys, values);
    Py_DECREF(values);
    Py_DECREF(keys);
    return made;
}
