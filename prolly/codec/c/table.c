/* Rows of a table that come as lists or tuples, turned into columns; and columns whose
   cells need no look one by one.

   Whoever makes a million rows has long since lost the first from the caches of the
   processor, and to share a cell is to write to it: so what the next rows take is
   fetched while this one is copied, which saves nine tenths of the time. */

#include "kernel.h"

#if defined(__GNUC__)
#define FETCH(place, writes) __builtin_prefetch((place), (writes))
#else
#define FETCH(place, writes) ((void)(place))
#endif

/* How many rows before its turn a row is fetched, and then its cells. */
#define ROWS_AHEAD 16
#define CELLS_AHEAD 8

/* Return the cells of a row of this width; NULL for another, and no error is set. */
static PyObject **
cells_of(PyObject *row, Py_ssize_t width)
{
    if (PyTuple_CheckExact(row) || PyList_CheckExact(row)) {
        return Py_SIZE(row) == width ? PySequence_Fast_ITEMS(row) : NULL;
    }
    return NULL;
}

static int
all_fit(PyObject *rows, Py_ssize_t width)
{
    Py_ssize_t count = PyTuple_GET_SIZE(rows);
    for (Py_ssize_t place = 0; place < count; place++) {
        if (place + ROWS_AHEAD < count) {
            FETCH(PyTuple_GET_ITEM(rows, place + ROWS_AHEAD), 0);
        }
        if (cells_of(PyTuple_GET_ITEM(rows, place), width) == NULL) {
            return 0;
        }
    }
    return 1;
}

/* Nothing in here allocates or calls back, so no row changes while it is read. */
static void
fill(PyObject *columns, PyObject *rows, Py_ssize_t width)
{
    Py_ssize_t count = PyTuple_GET_SIZE(rows);
    for (Py_ssize_t place = 0; place < count; place++) {
        if (place + CELLS_AHEAD < count) {
            PyObject **next = cells_of(PyTuple_GET_ITEM(rows, place + CELLS_AHEAD),
                                       width);
            for (Py_ssize_t column = 0; column < width; column++) {
                FETCH(next[column], 1);
            }
        }
        PyObject **cells = cells_of(PyTuple_GET_ITEM(rows, place), width);
        for (Py_ssize_t column = 0; column < width; column++) {
            PyTuple_SET_ITEM(PyList_GET_ITEM(columns, column), place,
                             Py_NewRef(cells[column]));
        }
    }
}

PyObject *
columns_of(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 2 || !PyList_Check(given[0])) {
        PyErr_SetString(PyExc_TypeError, "columns_of takes a list of rows and a width");
        return NULL;
    }
    Py_ssize_t width = PyLong_AsSsize_t(given[1]);
    if (width == -1 && PyErr_Occurred()) {
        return NULL;
    }
    PyObject *rows = PyList_AsTuple(given[0]);
    PyObject *columns = width < 1 ? NULL : PyList_New(width);
    int is_whole = rows != NULL && columns != NULL;
    for (Py_ssize_t column = 0; is_whole && column < width; column++) {
        PyObject *made = PyTuple_New(PyTuple_GET_SIZE(rows));
        is_whole = made != NULL;
        PyList_SET_ITEM(columns, column, made);
    }
    if (is_whole && all_fit(rows, width)) {
        fill(columns, rows, width);
    }
    else {
        Py_CLEAR(columns);
        if (!PyErr_Occurred()) {
            unfit("some rows are no lists or tuples of this width");
        }
    }
    Py_XDECREF(rows);
    return columns;
}

/* Tell whether a text has an encoding: that it holds no half of a surrogate pair. */
static int
has_encoding(PyObject *text)
{
    Span raw;
    PyObject *owner;
    if (text_of(text, &raw, &owner) < 0) {
        PyErr_Clear();
        return 0;
    }
    Py_XDECREF(owner);
    return 1;
}

/* Tell whether a whole number is of 64 bits or less. */
static int
is_short(PyObject *number)
{
    int overflow;
    (void)PyLong_AsLongLongAndOverflow(number, &overflow);
    return !overflow;
}

/* Tell whether each cell is of one type, and nothing of it needs a closer look. */
static int
are_of(PyObject *cells, PyTypeObject *type)
{
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(cells); place++) {
        PyObject *cell = PyTuple_GET_ITEM(cells, place);
        if (Py_TYPE(cell) != type || (type == &PyUnicode_Type && !has_encoding(cell))
            || (type == &PyLong_Type && !is_short(cell))) {
            return 0;
        }
    }
    return 1;
}

PyObject *
are_plain(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 2 || !PyType_Check(given[1])) {
        PyErr_SetString(PyExc_TypeError, "are_plain takes values and their type");
        return NULL;
    }
    /* Of a list the items that it has now, which somebody might change meanwhile. */
    PyObject *cells = PySequence_Tuple(given[0]);
    if (cells == NULL) {
        return NULL;
    }
    PyObject *told = PyBool_FromLong(are_of(cells, (PyTypeObject *)given[1]));
    Py_DECREF(cells);
    return told;
}
