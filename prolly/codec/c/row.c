/* Plain rows: CBOR [ presence, cell, ... ], of cells that need no look beyond them.

   Arrays, maps, tags and whole numbers of more than 64 bits are handed to a function
   of Python, one by one. */

#include "kernel.h"

#include <math.h>

#define PLAIN_COLUMNS_MAX 2048
#define PRESENCE_MAX (PLAIN_COLUMNS_MAX / 8)
#define NULL_CODE 0xf6
#define NESTING_MAX 64

enum { POSITIVE, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

/* ------------------------------------------------------------------- encoding */

static int
push_float(Buffer *buffer, double number)
{
    char packed[8];
    if (isnan(number)) {
        push_bytes(buffer, "\xf9\x7e\x00", 3);
        return 0;
    }
    if (isinf(number) || fabs(number) <= 65504.0) {
        if (PyFloat_Pack2(number, packed, 0) < 0) {
            return -1;
        }
        if (PyFloat_Unpack2(packed, 0) == number) {
            push_byte(buffer, 0xf9);
            push_bytes(buffer, packed, 2);
            return 0;
        }
    }
    /* Beyond the largest float32 the cast has no meaning. */
    if (fabs(number) <= 3.4028234663852886e38 && (double)(float)number == number) {
        if (PyFloat_Pack4(number, packed, 0) < 0) {
            return -1;
        }
        push_byte(buffer, 0xfa);
        push_bytes(buffer, packed, 4);
        return 0;
    }
    if (PyFloat_Pack8(number, packed, 0) < 0) {
        return -1;
    }
    push_byte(buffer, 0xfb);
    push_bytes(buffer, packed, 8);
    return 0;
}

/* Write what a function of Python returns for a cell. */
static int
push_other(Buffer *buffer, PyObject *cell, PyObject *encode_other)
{
    PyObject *data = PyObject_CallOneArg(encode_other, cell);
    if (data == NULL) {
        return -1;
    }
    int failed = !PyBytes_Check(data) || reserve(buffer, PyBytes_GET_SIZE(data)) < 0;
    if (!failed) {
        push_bytes(buffer, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data));
    }
    else if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "a cell is encoded to bytes");
    }
    Py_DECREF(data);
    return failed ? -1 : 0;
}

static int
push_integer(Buffer *buffer, PyObject *cell, PyObject *encode_other)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(cell, &overflow);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (overflow) {
        return push_other(buffer, cell, encode_other);
    }
    if (number < 0) {
        push_head(buffer, NEGATIVE, (uint64_t)(-1 - number));
    }
    else {
        push_head(buffer, POSITIVE, (uint64_t)number);
    }
    return 0;
}

static int
push_cell(Buffer *buffer, PyObject *cell, PyObject *encode_other)
{
    if (reserve(buffer, HEAD_ROOM) < 0) {
        return -1;
    }
    if (PyUnicode_CheckExact(cell)) {
        Span raw;
        PyObject *owner;
        if (text_of(cell, &raw, &owner) < 0) {
            return -1;
        }
        int failed = reserve(buffer, raw.size + HEAD_ROOM);
        if (!failed) {
            push_head(buffer, TEXT, (uint64_t)raw.size);
            push_bytes(buffer, raw.data, raw.size);
        }
        Py_XDECREF(owner);
        return failed;
    }
    if (PyLong_CheckExact(cell)) {
        return push_integer(buffer, cell, encode_other);
    }
    if (PyFloat_CheckExact(cell)) {
        return push_float(buffer, PyFloat_AS_DOUBLE(cell));
    }
    if (PyBytes_CheckExact(cell)) {
        Py_ssize_t size = PyBytes_GET_SIZE(cell);
        if (reserve(buffer, size + HEAD_ROOM) < 0) {
            return -1;
        }
        push_head(buffer, BYTES, (uint64_t)size);
        push_bytes(buffer, PyBytes_AS_STRING(cell), size);
        return 0;
    }
    if (cell == Py_None || cell == Py_False || cell == Py_True) {
        push_byte(buffer, cell == Py_None ? 0xf6 : cell == Py_True ? 0xf5 : 0xf4);
        return 0;
    }
    return push_other(buffer, cell, encode_other);
}

/* What stays the same from row to row. */
typedef struct {
    PyObject *columns;
    PyObject *fills;
    PyObject *encode_other;
    Py_ssize_t width;
} Encoding;

/* Return one row; `cells` is a buffer to use. */
static PyObject *
encode_row(const Encoding *encoding, Py_ssize_t index, Buffer *cells)
{
    uint8_t presence[PRESENCE_MAX];
    Py_ssize_t bits = (encoding->width + 7) / 8, stored = 0;
    memset(presence, 0, (size_t)bits);
    cells->size = 0;
    for (Py_ssize_t place = 0; place < encoding->width; place++) {
        PyObject *column = PyTuple_GET_ITEM(encoding->columns, place);
        PyObject *fill = PyTuple_GET_ITEM(encoding->fills, place);
        /* A function of Python, called for a cell before, may have cut the column. */
        if (index >= PySequence_Fast_GET_SIZE(column)) {
            unfit("a column that became shorter");
            return NULL;
        }
        PyObject *cell = PySequence_Fast_GET_ITEM(column, index);
        Py_ssize_t before = cells->size, fill_size = PyBytes_GET_SIZE(fill);
        Py_INCREF(cell);
        int failed = push_cell(cells, cell, encoding->encode_other);
        Py_DECREF(cell);
        if (failed) {
            return NULL;
        }
        if (cells->size - before == fill_size
            && !memcmp(cells->data + before, PyBytes_AS_STRING(fill),
                       (size_t)fill_size)) {
            cells->size = before;
        }
        else {
            presence[place >> 3] |= (uint8_t)(1 << (place & 7));
            stored++;
        }
    }
    while (bits && !presence[bits - 1]) {
        bits--;
    }
    uint8_t room[2 * HEAD_ROOM + PRESENCE_MAX];
    Buffer head = {room, 0, sizeof room};
    push_head(&head, ARRAY, (uint64_t)stored + 1);
    push_head(&head, BYTES, (uint64_t)bits);
    push_bytes(&head, presence, bits);
    PyObject *row = PyBytes_FromStringAndSize(NULL, head.size + cells->size);
    if (row != NULL) {
        char *at = PyBytes_AS_STRING(row);
        memcpy(at, room, (size_t)head.size);
        if (cells->size) {
            memcpy(at + head.size, cells->data, (size_t)cells->size);
        }
    }
    return row;
}

/* Check the arguments, and tell how many rows there are; -1 with an error. */
static Py_ssize_t
rows_to_encode(Encoding *encoding)
{
    if (!PyTuple_Check(encoding->columns) || !PyTuple_Check(encoding->fills)) {
        PyErr_SetString(PyExc_TypeError, "columns and fills are tuples");
        return -1;
    }
    encoding->width = PyTuple_GET_SIZE(encoding->columns);
    if (!encoding->width || encoding->width > PLAIN_COLUMNS_MAX
        || PyTuple_GET_SIZE(encoding->fills) != encoding->width) {
        return unfit("no column, too many, or not as many fills");
    }
    Py_ssize_t count = -1;
    for (Py_ssize_t place = 0; place < encoding->width; place++) {
        PyObject *column = PyTuple_GET_ITEM(encoding->columns, place);
        if (!PyBytes_Check(PyTuple_GET_ITEM(encoding->fills, place))
            || (!PyList_Check(column) && !PyTuple_Check(column))) {
            return unfit("a column that is no list, or a fill that is not encoded");
        }
        Py_ssize_t size = PySequence_Fast_GET_SIZE(column);
        if (count >= 0 && size != count) {
            return unfit("columns of different lengths");
        }
        count = size;
    }
    return count;
}

PyObject *
encode_rows(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (given != 3) {
        PyErr_SetString(PyExc_TypeError, "encode_rows takes 3 arguments");
        return NULL;
    }
    Encoding encoding = {args[0], args[1], args[2], 0};
    Py_ssize_t count = rows_to_encode(&encoding);
    if (count < 0) {
        return NULL;
    }
    Buffer cells = {NULL, 0, 0};
    PyObject *rows = PyList_New(count);
    for (Py_ssize_t index = 0; rows != NULL && index < count; index++) {
        PyObject *row = encode_row(&encoding, index, &cells);
        if (row == NULL) {
            Py_CLEAR(rows);
        }
        else {
            PyList_SET_ITEM(rows, index, row);
        }
    }
    PyMem_Free(cells.data);
    return rows;
}

/* ------------------------------------------------------------------- decoding */

/* Tell whether a tag is one of the format: datetime, bignums, decimal, uuid, date. With
   others a cell may mean something that stands in other cells. */
static int
is_known_tag(uint64_t tag)
{
    return tag == 0 || (tag >= 2 && tag <= 4) || tag == 37 || tag == 1004;
}

/* Pass one item of any kind; -1 where it is not whole, and no error is set. */
static int
pass_item(Reader *reader, int depth)
{
    uint8_t major;
    uint64_t argument;
    if (depth > NESTING_MAX || read_head(reader, &major, &argument) < 0) {
        return -1;
    }
    uint64_t inside = 0;
    switch (major) {
    case BYTES:
    case TEXT:
        if (argument > (uint64_t)(reader->end - reader->at)) {
            return -1;
        }
        reader->at += argument;
        return 0;
    case ARRAY:
        inside = argument;
        break;
    case MAP:
        if (argument > UINT64_MAX / 2) {
            return -1;
        }
        inside = 2 * argument;
        break;
    case TAG:
        if (!is_known_tag(argument)) {
            return -1;
        }
        inside = 1;
        break;
    default:
        return 0;
    }
    /* Each item takes a byte at least, so no claim makes this loop long. */
    while (inside--) {
        if (pass_item(reader, depth + 1) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
decode_other(Reader *reader, const uint8_t *start, PyObject *loads)
{
    reader->at = start;
    if (pass_item(reader, 0) < 0) {
        unfit("a cell that is not whole");
        return NULL;
    }
    PyObject *data = PyBytes_FromStringAndSize((const char *)start,
                                               reader->at - start);
    if (data == NULL) {
        return NULL;
    }
    PyObject *cell = PyObject_CallOneArg(loads, data);
    Py_DECREF(data);
    return cell;
}

static PyObject *
decode_simple(const uint8_t *start, Py_ssize_t size, uint64_t argument)
{
    const char *number = (const char *)start + 1;
    if (size == 9) {
        return PyFloat_FromDouble(PyFloat_Unpack8(number, 0));
    }
    if (size == 5) {
        return PyFloat_FromDouble(PyFloat_Unpack4(number, 0));
    }
    if (size == 3) {
        return PyFloat_FromDouble(PyFloat_Unpack2(number, 0));
    }
    if (size == 1 && argument >= 20 && argument <= 22) {
        PyObject *cell = argument == 20 ? Py_False : argument == 21 ? Py_True : Py_None;
        return Py_NewRef(cell);
    }
    unfit("a simple value of another kind");
    return NULL;
}

static PyObject *
decode_cell(Reader *reader, PyObject *loads)
{
    const uint8_t *start = reader->at;
    uint8_t major;
    uint64_t argument;
    if (read_head(reader, &major, &argument) < 0) {
        unfit("a cell that is not whole");
        return NULL;
    }
    switch (major) {
    case POSITIVE:
        return PyLong_FromUnsignedLongLong(argument);
    case NEGATIVE:
        if (argument <= (uint64_t)INT64_MAX) {
            return PyLong_FromLongLong(-1 - (long long)argument);
        }
        return decode_other(reader, start, loads);
    case BYTES:
    case TEXT: {
        if (argument > (uint64_t)(reader->end - reader->at)) {
            unfit("a string that is not whole");
            return NULL;
        }
        const char *data = (const char *)reader->at;
        Py_ssize_t size = (Py_ssize_t)argument;
        reader->at += size;
        return major == TEXT ? PyUnicode_DecodeUTF8(data, size, NULL)
                             : PyBytes_FromStringAndSize(data, size);
    }
    case SIMPLE:
        return decode_simple(start, reader->at - start, argument);
    default:
        return decode_other(reader, start, loads);
    }
}

/* Read head and presence of a row of so many columns; -1 with Unfit. */
static int
read_presence(Reader *reader, Py_ssize_t width, Span *presence)
{
    Py_ssize_t size;
    if (read_array(reader, &size) < 0 || read_string(reader, presence) < 0) {
        return unfit("a row without presence");
    }
    Py_ssize_t bytes = presence->size;
    if (bytes > (width + 7) / 8 || (bytes && !presence->data[bytes - 1])
        || (bytes && bytes == (width + 7) / 8 && width % 8
            && presence->data[bytes - 1] >> width % 8)) {
        return unfit("a presence that does not fit the columns");
    }
    Py_ssize_t stored = 0;
    for (Py_ssize_t place = 0; place < bytes; place++) {
        stored += __builtin_popcount(presence->data[place]);
    }
    return stored + 1 == size ? 0 : unfit("not as many cells as bits");
}

/* Return the next cell: as stored, or its fill. */
static PyObject *
next_cell(Reader *reader, Span presence, Py_ssize_t place, PyObject *fills,
          PyObject *loads)
{
    if (place >> 3 < presence.size && presence.data[place >> 3] >> (place & 7) & 1) {
        return decode_cell(reader, loads);
    }
    return Py_NewRef(PyTuple_GET_ITEM(fills, place));
}

/* Check the last two arguments; -1 with an error. */
static int
take_fills(PyObject *const *args, Py_ssize_t given)
{
    if (given != 3 || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "give strings, a tuple of fills, a reader");
        return -1;
    }
    return PyTuple_GET_SIZE(args[1]) ? 0 : unfit("no column");
}

/* Read one row into `cells`: a new reference each. -1 with an error, and none. */
static int
read_row(Span row, PyObject *fills, PyObject *loads, PyObject **cells)
{
    Reader reader = {row.data, row.data + row.size};
    Py_ssize_t width = PyTuple_GET_SIZE(fills), place = 0;
    Span presence = {NULL, 0};
    if (read_presence(&reader, width, &presence) < 0) {
        return -1;
    }
    for (; place < width; place++) {
        cells[place] = next_cell(&reader, presence, place, fills, loads);
        if (cells[place] == NULL) {
            break;
        }
    }
    if (place == width && reader.at == reader.end) {
        return 0;
    }
    if (place == width) {
        unfit("bytes behind the last cell");
    }
    while (place--) {
        Py_CLEAR(cells[place]);
    }
    return -1;
}

PyObject *
decode_row(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    if (take_fills(args, given) < 0) {
        return NULL;
    }
    Span row;
    if (take_bytes(args[0], &row) < 0) {
        return NULL;
    }
    PyObject *cells = PyList_New(PyTuple_GET_SIZE(args[1]));
    if (cells != NULL
        && read_row(row, args[1], args[2], ((PyListObject *)cells)->ob_item) < 0) {
        Py_CLEAR(cells);
    }
    return cells;
}

/* Return so many lists of so many items, which are not set yet. */
static PyObject *
empty_columns(Py_ssize_t width, Py_ssize_t count)
{
    PyObject *columns = PyList_New(width);
    for (Py_ssize_t place = 0; columns != NULL && place < width; place++) {
        PyObject *column = PyList_New(count);
        if (column == NULL) {
            Py_CLEAR(columns);
        }
        else {
            PyList_SET_ITEM(columns, place, column);
        }
    }
    return columns;
}

static PyObject *
decode_strings(const Strings *strings, PyObject *fills, PyObject *loads)
{
    Py_ssize_t width = PyTuple_GET_SIZE(fills);
    PyObject **cells = PyMem_Calloc((size_t)width, sizeof *cells);
    if (cells == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *columns = empty_columns(width, strings->count);
    for (Py_ssize_t index = 0; columns != NULL && index < strings->count; index++) {
        Span row;
        if (string_of(strings, index, &row) < 0
            || read_row(row, fills, loads, cells) < 0) {
            Py_CLEAR(columns);
            break;
        }
        for (Py_ssize_t place = 0; place < width; place++) {
            PyList_SET_ITEM(PyList_GET_ITEM(columns, place), index, cells[place]);
        }
    }
    PyMem_Free(cells);
    return columns;
}

PyObject *
decode_rows(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t given)
{
    Strings strings;
    if (take_fills(args, given) < 0 || take_strings(args[0], &strings) < 0) {
        return NULL;
    }
    PyObject *columns = NULL;
    if (strings.prefix.size) {
        PyErr_SetString(PyExc_ValueError, "rows have no prefix");
    }
    else {
        columns = decode_strings(&strings, args[1], args[2]);
    }
    Py_XDECREF(strings.listed);
    return columns;
}
