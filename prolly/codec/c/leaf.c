/* Leaves as they are stored: looking up, editing, comparing, with nothing decoded.

   A leaf is 01 [ prefix, [suffix, ...], [value, ...], reference_bits ]. Bytes that
   have another form raise Unfit, and the twin tells what is wrong with them. */

#include "leaf.h"

/* What an entry weighs beyond its key and value, as the page on trees says. */
#define ENTRY_OVERHEAD 8

/* ------------------------------------------------------------------- look-up */

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

/* ------------------------------------------------------------------- comparing */

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

/* ------------------------------------------------------------------- editing */

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
    /* Of a list the items that it has now, which somebody might change meanwhile. */
    PyObject *made = NULL, *keys = PySequence_Tuple(args[1]);
    PyObject *values = keys != NULL ? PySequence_Tuple(args[2]) : NULL;
    if (values != NULL && PyTuple_GET_SIZE(keys) != PyTuple_GET_SIZE(values)) {
        PyErr_SetString(PyExc_ValueError, "as many keys as values");
    }
    else if (values != NULL) {
        made = edit_leaf(&edit, keys, values);
    }
    Py_XDECREF(values);
    Py_XDECREF(keys);
    return made;
}
