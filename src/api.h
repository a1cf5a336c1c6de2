/* PYRELU_API exports a symbol from the shared library. Nothing in src/ depends on Python. On Windows, what links to the
 * library defines PYRELU_IMPORTS, as CMake does for it: data of another library are read through a pointer there. */
#ifndef PYRELU_API_H
#define PYRELU_API_H

#if defined(_WIN32) && defined(PYRELU_IMPORTS)
#define PYRELU_API __declspec(dllimport)
#elif defined(_WIN32)
#define PYRELU_API __declspec(dllexport)
#else
#define PYRELU_API __attribute__((visibility("default")))
#endif

#endif
