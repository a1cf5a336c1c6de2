/* The kernels of one instruction set and precision as one struct, which dispatch.c chooses from. */
#include "kernels/targets.h"

const pyrelu_kernels PER_TARGET(kernels) = {
    .map = PER_TARGET(map),
    .gated = PER_TARGET(gated),
    .rowwise = PER_TARGET(rowwise),
    .rowwise_blocked = PER_TARGET(rowwise_blocked),
    .any_outside = PER_TARGET(any_outside),
    .update = PER_TARGET(update),
    .embed = PER_TARGET(embed),
    .embed_backward = PER_TARGET(embed_backward),
    .softmax_rows = PER_TARGET(softmax_rows),
    .gemm = PER_TARGET(gemm),
    .pack_rows = PER_TARGET(pack_rows),
    .pack_columns = PER_TARGET(pack_columns),
    .or_rows = PER_TARGET(or_rows),
    .all_finite = PER_TARGET(all_finite),
    .spread = PER_TARGET(spread),
    .max_rows = PER_TARGET(max_rows),
    .range_of_rows = PER_TARGET(range_of_rows),
    .add_rises = PER_TARGET(add_rises),
    .add_multiple = PER_TARGET(add_multiple),
    .add_rows = PER_TARGET(add_rows),
    .random = PER_TARGET(random),
    .uniform = PER_TARGET(uniform),
    .dropout_mask = PER_TARGET(dropout_mask),
    .drop = PER_TARGET(drop),
    .scale_rows = PER_TARGET(scale_rows),
    .scale_and_shift = PER_TARGET(scale_and_shift),
    .add_products = PER_TARGET(add_products),
    .mix = PER_TARGET(mix),
    .mix_backward = PER_TARGET(mix_backward),
#if PYRELU_BITS == 32
    .widen = PER_TARGET(widen),
    .narrow = PER_TARGET(narrow),
#endif
};
