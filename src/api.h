/* What marks a symbol as one that the shared library exports. Nothing in src/ knows of Python. */
#ifndef PYRELU_API_H
#define PYRELU_API_H

#if defined(_WIN32)
#define PYRELU_API __declspec(dllexport)
#else
#define PYRELU_API __attribute__((visibility("default")))
#endif

#endif
