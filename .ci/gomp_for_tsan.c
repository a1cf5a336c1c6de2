/* What pyrelu needs of libgomp, by pthreads, which ThreadSanitizer knows: it cannot see how libgomp, which is not
 * compiled for it, starts and joins its threads, and would report a race wherever one reads what another wrote before.
 * To be loaded before libgomp. Every region starts threads of its own. */
#include <pthread.h>
#include <stdlib.h>

enum { N_THREADS = 4 };

typedef struct {
    void (*body)(void *);
    void *data;
    unsigned number, n_threads;
} member;

static __thread member own = {.n_threads = 1};

static void *run(void *argument) {
    own = *(member *)argument;
    own.body(own.data);
    return NULL;
}

void GOMP_parallel(void (*body)(void *), void *data, unsigned n_threads, unsigned flags) {
    (void)flags;
    const member before = own;
    const unsigned n = n_threads ? n_threads : N_THREADS;
    pthread_t threads[n];
    member members[n];
    for (unsigned i = 0; i < n; i++) {
        members[i] = (member){body, data, i, n};
        if (i && pthread_create(&threads[i], NULL, run, &members[i])) abort();
    }
    run(&members[0]);
    for (unsigned i = 1; i < n; i++) pthread_join(threads[i], NULL);
    own = before;
}

int omp_get_max_threads(void) { return N_THREADS; }
int omp_get_num_threads(void) { return (int)own.n_threads; }
int omp_get_thread_num(void) { return (int)own.number; }
int omp_in_parallel(void) { return own.n_threads > 1; }
