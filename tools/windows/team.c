/* Checks parallel loops and teams, whoever's threads they are.
 *
 *     make -C tools/windows
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/fpenv.h"
#include "runtime/monitor.h"
#include "runtime/threads.h"

enum { N = 1 << 16, LOOPS = 3000, THREADS = 4 };

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) printf("line %d: not %s\n", __LINE__, #condition), exit(1); \
    } while (0)

static _Thread_local char here; /* its address is the thread's name */

/* ---- ranges ---- */

static unsigned char times_visited[N];
static void *_Atomic visitors[THREADS + 1];
static _Atomic int wrong_state, nested_threads;

static void note_visitor(void) {
    for (int i = 0; i <= THREADS; i++) {
        void *free = NULL;
        if (visitors[i] == &here || atomic_compare_exchange_strong(&visitors[i], &free, &here)) return;
    }
}

static int count_visitors(void) {
    int n = 0;
    for (int i = 0; i <= THREADS; i++) {
        n += visitors[i] != NULL;
        visitors[i] = NULL;
    }
    return n;
}

static void visit(void *context, ptrdiff_t start, ptrdiff_t stop) {
    (void)context;
    note_visitor();
    for (ptrdiff_t i = start; i < stop; i++) times_visited[i]++;
    for (volatile int i = 0; i < 1000000; i++) continue; /* long enough for others to come */
}

static void check_ranges(void) {
    int most = 0;
    for (ptrdiff_t n = 1; n <= N; n = 3 * n + 1) {
        pyrelu_parallel_ranges(n, 16, visit, NULL);
        for (ptrdiff_t i = 0; i < N; i++) {
            CHECK(times_visited[i] == (i < n));
            times_visited[i] = 0;
        }
        const int visited = count_visitors();
        most = visited > most ? visited : most;
    }
    CHECK(most >= 2 && most <= THREADS);
    pyrelu_set_num_threads(1);
    CHECK(pyrelu_get_num_threads() == 1);
    pyrelu_parallel_ranges(N, 1, visit, NULL);
    CHECK(count_visitors() == 1);
    pyrelu_set_num_threads(THREADS);
    CHECK(pyrelu_get_num_threads() == THREADS);
}

/* ---- teams ---- */

typedef struct {
    _Atomic ptrdiff_t sum;
    ptrdiff_t want;
} total;

static void add_one(void *context, ptrdiff_t i) {
    total *t = context;
    t->sum += i;
    if (pyrelu_get_num_threads() != 1) nested_threads = 1;
#if defined(__SSE2__)
    if ((_mm_getcsr() & 0xffc0) != 0x1f80) wrong_state = 1;
#endif
}

static void lead(pyrelu_team *team, void *context) {
    total *t = context;
    CHECK(team);
    for (ptrdiff_t loop = 0; loop < LOOPS; loop++) {
        const ptrdiff_t n = loop % 70;
        pyrelu_team_for(team, n, add_one, t);
        t->want += n * (n - 1) / 2;
        CHECK(t->sum == t->want);
    }
}

static void lead_teams(void) {
    total t = {0, 0};
    for (int i = 0; i < 20; i++) pyrelu_with_team(THREADS, lead, &t);
    CHECK(t.sum == t.want && t.want > 0);
}

#if defined(_WIN32)
static DWORD WINAPI other_leader(void *context) { return lead_teams(), (void)context, 0; }
#else
static void *other_leader(void *context) { return lead_teams(), context; }
#endif

static void check_teams(void) {
#if defined(__SSE2__)
    _mm_setcsr(0x9fc0); /* flushes subnormal numbers to zero, as another library may have told the processor to */
#endif
    lead_teams();
#if defined(__SSE2__)
    CHECK(_mm_getcsr() == 0x9fc0);
    _mm_setcsr(0x1f80);
#endif
    enum { LEADERS = 3 }; /* several at once */
#if defined(_WIN32)
    HANDLE others[LEADERS];
    for (int i = 0; i < LEADERS; i++) CHECK(others[i] = CreateThread(NULL, 0, other_leader, NULL, 0, NULL));
    lead_teams();
    CHECK(WaitForMultipleObjects(LEADERS, others, TRUE, INFINITE) == WAIT_OBJECT_0);
#else
    pthread_t others[LEADERS];
    for (int i = 0; i < LEADERS; i++) CHECK(pthread_create(&others[i], NULL, other_leader, NULL) == 0);
    lead_teams();
    for (int i = 0; i < LEADERS; i++) pthread_join(others[i], NULL);
#endif
    CHECK(!wrong_state && !nested_threads);
}

static void find_alone(pyrelu_team *team, void *context) { *(int *)context = !team; }

int main(int argc, char **argv) {
    if (argc > 1) { /* with OMP_NUM_THREADS: how many there are */
        CHECK(pyrelu_get_num_threads() == atoi(argv[1]));
        return 0;
    }
    CHECK(pyrelu_threads_by());
    pyrelu_set_num_threads(THREADS);
    if (pyrelu_get_num_threads() < THREADS) return printf("needs OMP_NUM_THREADS=%d\n", THREADS), 1;
    check_ranges();
    check_teams();
    int alone = 0;
    pyrelu_with_team(1, find_alone, &alone);
    CHECK(alone);
    printf("threads by %s: right\n", pyrelu_threads_by());
    return 0;
}
