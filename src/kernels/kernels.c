/* All kernels of one instruction set and precision in one struct, for dispatch.c to choose from. */
#include "kernels/targets.h"

const pyrelu_kernels PRIVATE(kernels) = {
    .map = PRIVATE(map),
    .gated = PRIVATE(gated),
    .rowwise = PRIVATE(rowwise),
    .rowwise_blocked = PRIVATE(rowwise_blocked),
    .any_outside = PRIVATE(any_outside),
    .update = PRIVATE(update),
    .softmax_rows = PRIVATE(softmax_rows),
    .gemm = PRIVATE(gemm),
    .add_multiple = PRIVATE(add_multiple),
    .add_rows = PRIVATE(add_rows),
    .random = PRIVATE(random),
#if PYRELU_BITS == 32
    .widen = PRIVATE(widen),
    .narrow = PRIVATE(narrow),
#endif
};
