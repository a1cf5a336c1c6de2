/* PYRELU_API exports a symbol from the shared library. Nothing in src/ depends on Python. */
#ifndef PYRELU_API_H
#define PYRELU_API_H

#if defined(_WIN32)
#define PYRELU_API __declspec(dllexport)
#else
#define PYRELU_API __attribute__((visibility("default")))
#endif

#endif
