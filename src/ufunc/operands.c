#include "ufunc/operands.h"

#include <stdint.h>
#include <string.h>

#include "runtime/dispatch.h"

enum { BLOCK = 512 }; /* elements in a buffer, which stays in the first-level cache */

static void copy_strided(char *to, ptrdiff_t to_step, const char *from, ptrdiff_t from_step, ptrdiff_t size,
                         ptrdiff_t n) {
    if (to_step == size && from_step == size) {
        memcpy(to, from, n * size);
        return;
    }
    switch (size) { /* a constant size makes each memcpy one instruction */
    case 2:
        for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 2);
        break;
    case 4:
        for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 4);
        break;
    default:
        for (ptrdiff_t i = 0; i < n; i++) memcpy(to + i * to_step, from + i * from_step, 8);
    }
}

void pyrelu_load(char *to, const char *from, ptrdiff_t step, pyrelu_type type, ptrdiff_t n) {
    if (type != PYRELU_F16) {
        copy_strided(to, stored[type], from, step, stored[type], n);
        return;
    }
    uint16_t halves[BLOCK];
    const pyrelu_kernels *kernels = pyrelu_kernels_for(PYRELU_F32);
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        const ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        const void *in[] = {halves};
        copy_strided((char *)halves, 2, from + i * step, step, 2, m);
        kernels->widen(in, 0, to + i * sizeof(float), m);
    }
}

void pyrelu_store(char *to, ptrdiff_t step, const char *from, pyrelu_type type, ptrdiff_t n) {
    if (type != PYRELU_F16) {
        copy_strided(to, step, from, stored[type], stored[type], n);
        return;
    }
    uint16_t halves[BLOCK];
    const pyrelu_kernels *kernels = pyrelu_kernels_for(PYRELU_F32);
    for (ptrdiff_t i = 0; i < n; i += BLOCK) {
        const ptrdiff_t m = n - i < BLOCK ? n - i : BLOCK;
        const void *in[] = {from + i * sizeof(float)};
        kernels->narrow(in, 0, halves, m);
        copy_strided(to + i * step, step, (const char *)halves, 2, 2, m);
    }
}
