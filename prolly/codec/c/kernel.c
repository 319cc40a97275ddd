/* The module prolly.codec._kernel: its table of functions, and what the parts share. */

#include "kernel.h"

PyObject *Unfit;

int
unfit(const char *reason)
{
    PyErr_SetString(Unfit, reason);
    return -1;
}

int
take_bytes(PyObject *given, Span *span)
{
    if (!PyBytes_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "it is bytes");
        return -1;
    }
    span->data = (const uint8_t *)PyBytes_AS_STRING(given);
    span->size = PyBytes_GET_SIZE(given);
    return 0;
}

int
take_pair(PyObject *const *given, PyObject **keys, PyObject **values)
{
    *keys = PySequence_Tuple(given[0]);
    *values = *keys == NULL ? NULL : PySequence_Tuple(given[1]);
    if (*values != NULL && PyTuple_GET_SIZE(*keys) == PyTuple_GET_SIZE(*values)) {
        return 0;
    }
    if (*values != NULL) {
        PyErr_SetString(PyExc_ValueError, "as many keys as values");
    }
    Py_CLEAR(*values);
    Py_CLEAR(*keys);
    return -1;
}

int
reserve(Buffer *buffer, Py_ssize_t more)
{
    if (buffer->room - buffer->size >= more) {
        return 0;
    }
    if (more > PY_SSIZE_T_MAX / 2 - buffer->size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t room = 2 * (buffer->size + more);
    uint8_t *data = PyMem_Realloc(buffer->data, (size_t)room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    buffer->data = data;
    buffer->room = room;
    return 0;
}

int
take_strings(PyObject *given, Strings *strings)
{
    memset(strings, 0, sizeof *strings);
    if (PyList_Check(given)) {
        strings->listed = PyList_AsTuple(given);
        if (strings->listed == NULL) {
            return -1;
        }
        strings->count = PyTuple_GET_SIZE(strings->listed);
        return 0;
    }
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "strings are a list, or a tuple of places");
        return -1;
    }
    PyObject *chunk, *prefix;
    Py_ssize_t start;
    if (!PyArg_ParseTuple(given, "SnnnnS", &chunk, &start, &strings->stride,
                          &strings->count, &strings->skipped, &prefix)) {
        return -1;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(chunk);
    if (start < 0 || start > size || strings->count < 0 || strings->skipped < 0
        || strings->stride < strings->skipped || strings->stride < 1
        || strings->count > (size - start) / strings->stride) {
        PyErr_SetString(PyExc_ValueError, "the strings lie outside of their chunk");
        return -1;
    }
    strings->even = (const uint8_t *)PyBytes_AS_STRING(chunk) + start;
    strings->prefix.data = (const uint8_t *)PyBytes_AS_STRING(prefix);
    strings->prefix.size = PyBytes_GET_SIZE(prefix);
    return 0;
}

#define FAST(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}
#define SINGLE(name) {#name, name, METH_O, NULL}

static PyMethodDef functions[] = {
    SINGLE(leaf_places), FAST(leaf_find),   FAST(leaf_edit),
    FAST(leaf_changes),  FAST(encode_rows), FAST(decode_rows),
    FAST(decode_row),    SINGLE(encode_keys), SINGLE(decode_keys),
    FAST(leaf_records),  FAST(leaf_overwrite),
    FAST(leaf_encode),   FAST(columns_of),  FAST(are_plain),
    FAST(sort_edits),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "prolly.codec._kernel",
    .m_doc = "Nodes, rows and keys in batches; what it does: prolly/codec/kernel.py.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__kernel(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    Unfit = PyErr_NewException("prolly.codec._kernel.Unfit", PyExc_ValueError, NULL);
    if (Unfit == NULL || PyModule_AddObjectRef(module, "Unfit", Unfit) < 0
        || PyModule_AddIntConstant(module, "REVISION", KERNEL_REVISION) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
