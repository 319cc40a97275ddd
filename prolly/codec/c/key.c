/* Keys of one part: whole numbers of up to 8 bytes, and texts. */

#include "kernel.h"

#define TEXT 0x02
#define ZERO 0x14
#define KEY_BYTES_MAX 1024

static PyObject *
encode_integer(PyObject *key)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(key, &overflow);
    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    uint64_t magnitude;
    if (overflow > 0) {
        magnitude = PyLong_AsUnsignedLongLong(key);
        if (magnitude == (uint64_t)-1 && PyErr_Occurred()) {
            PyErr_Clear();
            unfit("a number of more than 8 bytes");
            return NULL;
        }
    }
    else if (overflow < 0) {
        unfit("a negative number of more than 63 bits");
        return NULL;
    }
    else {
        magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    }
    int negative = !overflow && number < 0;
    int size = 0;
    for (uint64_t rest = magnitude; rest; rest >>= 8) {
        size++;
    }
    PyObject *data = PyBytes_FromStringAndSize(NULL, size + 1);
    if (data == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)PyBytes_AS_STRING(data);
    uint64_t spelt = negative ? ~magnitude : magnitude;
    *at++ = (uint8_t)(negative ? ZERO - size : ZERO + size);
    while (size--) {
        *at++ = (uint8_t)(spelt >> 8 * size);
    }
    return data;
}

static PyObject *
encode_text(PyObject *key)
{
    Span raw;
    PyObject *owner, *data = NULL;
    if (text_of(key, &raw, &owner) < 0) {
        return NULL;
    }
    if (raw.size + 2 > KEY_BYTES_MAX || memchr(raw.data, 0, (size_t)raw.size)) {
        unfit("a text that is long, or holds a zero");
    }
    else {
        data = PyBytes_FromStringAndSize(NULL, raw.size + 2);
    }
    if (data != NULL) {
        char *at = PyBytes_AS_STRING(data);
        at[0] = TEXT;
        memcpy(at + 1, raw.data, (size_t)raw.size);
        at[raw.size + 1] = 0;
    }
    Py_XDECREF(owner);
    return data;
}

PyObject *
encode_keys(PyObject *Py_UNUSED(module), PyObject *given)
{
    /* Of a list the items that it has now, which somebody might change meanwhile. */
    PyObject *keys = PySequence_Tuple(given);
    if (keys == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(keys);
    PyObject *datas = PyList_New(count);
    for (Py_ssize_t index = 0; datas != NULL && index < count; index++) {
        PyObject *key = PyTuple_GET_ITEM(keys, index);
        PyObject *data = NULL;
        if (PyLong_CheckExact(key)) {
            data = encode_integer(key);
        }
        else if (PyUnicode_CheckExact(key)) {
            data = encode_text(key);
        }
        else {
            unfit("a key of another type");
        }
        if (data == NULL) {
            Py_CLEAR(datas);
        }
        else {
            PyList_SET_ITEM(datas, index, data);
        }
    }
    Py_DECREF(keys);
    return datas;
}

/* Return the key that some bytes spell, if it is one whole number or text. */
static PyObject *
decode_key(const uint8_t *data, Py_ssize_t size)
{
    if (size && data[0] == TEXT) {
        const uint8_t *end = memchr(data, 0, (size_t)size);
        if (end == data + size - 1 && size <= KEY_BYTES_MAX) {
            return PyUnicode_DecodeUTF8((const char *)data + 1, size - 2, NULL);
        }
    }
    else if (size && data[0] >= ZERO - 8 && data[0] <= ZERO + 8) {
        int negative = data[0] < ZERO;
        int width = negative ? ZERO - data[0] : data[0] - ZERO;
        if (size == width + 1) {
            uint64_t number = 0;
            for (int place = 1; place <= width; place++) {
                number = number << 8 | (negative ? (uint8_t)~data[place] : data[place]);
            }
            /* One whose first byte is zero has a shorter spelling. */
            if (!width || number >> 8 * (width - 1)) {
                if (!negative) {
                    return PyLong_FromUnsignedLongLong(number);
                }
                if (number <= (uint64_t)INT64_MAX) {
                    return PyLong_FromLongLong(-(long long)number);
                }
            }
        }
    }
    unfit("a key of another form");
    return NULL;
}

static PyObject *
decode_strings(const Strings *strings)
{
    uint8_t joined[KEY_BYTES_MAX];
    Py_ssize_t shared = strings->prefix.size;
    if (shared) {
        /* None is longer than that, so each of them fits. */
        if (shared + strings->stride - strings->skipped > KEY_BYTES_MAX) {
            unfit("keys that are too long");
            return NULL;
        }
        memcpy(joined, strings->prefix.data, (size_t)shared);
    }
    PyObject *keys = PyList_New(strings->count);
    for (Py_ssize_t index = 0; keys != NULL && index < strings->count; index++) {
        Span key;
        PyObject *made = NULL;
        if (string_of(strings, index, &key) == 0) {
            if (shared) {
                memcpy(joined + shared, key.data, (size_t)key.size);
                key.data = joined;
            }
            made = decode_key(key.data, shared + key.size);
        }
        if (made == NULL) {
            Py_CLEAR(keys);
        }
        else {
            PyList_SET_ITEM(keys, index, made);
        }
    }
    return keys;
}

PyObject *
decode_keys(PyObject *Py_UNUSED(module), PyObject *given)
{
    Strings strings;
    if (take_strings(given, &strings) < 0) {
        return NULL;
    }
    PyObject *keys = decode_strings(&strings);
    Py_XDECREF(strings.listed);
    return keys;
}
