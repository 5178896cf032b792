/* Sums of table lookups over packed sign bits, in AVX-512 registers: what `retrieval/search/scans/kernel.py` calls.

   The layout is that of faiss's FastScan with 64 rows to a block. Each byte of a sign code has two 4-bit halves, h0 and
   h1; for each such byte, 64 bytes of a block hold the halves of its 64 rows, in lanes of 16 bytes:

       rows 0-31: h0 | rows 0-31: h1 | rows 32-63: h0 | rows 32-63: h1

   The bytes of a lane are rows 0, 8, 1, 9, ... 7, 15, and 16 more in their upper four bits. */

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 64, GROUP_ROWS = 32, LANE_BYTES = 16, BLOCKS_AT_ONCE = 64, MOST_THREADS = 8 };
enum { MOST_STEPS_PER_TABLE = 255, MOST_STEPS = 65535 };
enum { ID_BITS = 40, AHEAD_BYTES = 8192, ROWS_AHEAD = 2 };
static const uint64_t HIGHEST_ID = (1ull << ID_BITS) - 1;

/* Rows that lie together: codes in blocks, and an id for each row, or consecutive ids if `ids` is null. */
typedef struct {
    const uint8_t *codes;
    const int64_t *ids;
    int64_t first_id, num_rows;
} Part;

/* The best rows so far. A key is a sum above an inverted id: a higher sum is a higher key, and so is a lower id. */
typedef struct {
    uint64_t *keys;
    size_t count, k, room;
    uint64_t bound; /* at least k keys are higher, here or in another thread */
    _Atomic uint64_t *shared_bound;
} Best;

typedef struct {
    const Part *parts;
    size_t num_parts, num_bytes, block_bytes, num_queries;
    const uint8_t *tables;
    atomic_size_t next_part;
} Work;

typedef struct {
    Work *work;
    Best *best;
} Share;

static void raise_bound(Best *best, uint64_t bound) {
    uint64_t shared = atomic_load_explicit(best->shared_bound, memory_order_relaxed);
    while (shared < bound && !atomic_compare_exchange_weak(best->shared_bound, &shared, bound)) {
    }
    best->bound = shared > bound ? shared : bound;
}

/* Hoare's quickselect: leaves the highest k keys. No two keys are equal. */
static void keep_best(Best *best) {
    uint64_t *keys = best->keys;
    size_t low = 0, high = best->count - 1, last = best->k - 1;
    while (low < high) {
        uint64_t pivot = keys[low + (high - low) / 2];
        size_t left = low, right = high;
        for (;;) {
            while (keys[left] > pivot) left++;
            while (keys[right] < pivot) right--;
            if (left >= right) break;
            uint64_t other = keys[left];
            keys[left++] = keys[right];
            keys[right--] = other;
        }
        if (last <= right) high = right;
        else low = right + 1;
    }
    best->count = best->k;
    raise_bound(best, keys[last] - 1);
}

static inline void add(Best *best, uint64_t key) {
    if (key > best->bound) {
        best->keys[best->count++] = key;
        if (best->count == best->room) keep_best(best);
    }
}

/* Compares a query's tables with the blocks of a part from one to before another. */
__attribute__((target("avx512f,avx512bw"))) static void scan_blocks(
    const Work *work, const Part *part, const uint8_t *tables, size_t first, size_t end, Best *best) {
    const __m512i lower_half = _mm512_set1_epi8(15);
    for (size_t block = first; block < end; block++) {
        const uint8_t *codes = part->codes + block * work->block_bytes;
        __m512i sums = _mm512_setzero_si512(), odd = sums, sums_16 = sums, odd_16 = sums;
        for (size_t at = 0; at < work->num_bytes; at++) {
            __m512i both = _mm512_loadu_si512(codes + BLOCK_ROWS * at);
            _mm_prefetch((const char *)(codes + BLOCK_ROWS * at + AHEAD_BYTES), _MM_HINT_T0);
            __m512i table = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(tables + 2 * LANE_BYTES * at)));
            __m512i found = _mm512_shuffle_epi8(table, _mm512_and_si512(both, lower_half));
            __m512i found_16 = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(both, 4), lower_half));
            /* A 16-bit sum of two adjacent bytes: the upper one is summed on its own and taken off at the end. */
            sums = _mm512_add_epi16(sums, found);
            odd = _mm512_add_epi16(odd, _mm512_srli_epi16(found, 8));
            sums_16 = _mm512_add_epi16(sums_16, found_16);
            odd_16 = _mm512_add_epi16(odd_16, _mm512_srli_epi16(found_16, 8));
        }
        sums = _mm512_sub_epi16(sums, _mm512_slli_epi16(odd, 8));
        sums_16 = _mm512_sub_epi16(sums_16, _mm512_slli_epi16(odd_16, 8));
        /* The lanes of h0 and of h1 together: rows 0-7, 32-39, 8-15, 40-47, and 16 more. */
        sums = _mm512_add_epi16(_mm512_shuffle_i64x2(sums, odd, 0x88), _mm512_shuffle_i64x2(sums, odd, 0xdd));
        sums_16 = _mm512_add_epi16(
            _mm512_shuffle_i64x2(sums_16, odd_16, 0x88), _mm512_shuffle_i64x2(sums_16, odd_16, 0xdd));
        __m512i least = _mm512_set1_epi16((short)(best->bound >> ID_BITS));
        uint64_t high = (uint64_t)_mm512_cmpge_epu16_mask(sums, least);
        high |= (uint64_t)_mm512_cmpge_epu16_mask(sums_16, least) << 32;
        if (high == 0) continue;
        uint16_t all[BLOCK_ROWS];
        _mm512_storeu_si512(all, sums);
        _mm512_storeu_si512(all + 32, sums_16);
        for (; high; high &= high - 1) {
            unsigned place = (unsigned)__builtin_ctzll(high);
            int64_t row = (int64_t)(BLOCK_ROWS * block + (place & 7) + (place & 16) / 2 + (place & 32) / 2 + (place & 8) * 4);
            if (row < part->num_rows) {
                int64_t id = part->ids ? part->ids[row] : part->first_id + row;
                add(best, (uint64_t)all[place] << ID_BITS | (HIGHEST_ID - (uint64_t)id));
            }
        }
    }
}

/* Scans one part after another until none is left. Several queries share each piece while it is in the cache. */
static void *scan_parts(void *argument) {
    Share *share = argument;
    Work *work = share->work;
    for (size_t number; (number = atomic_fetch_add(&work->next_part, 1)) < work->num_parts;) {
        const Part *part = &work->parts[number];
        size_t num_blocks = ((size_t)part->num_rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
        for (size_t first = 0; first < num_blocks; first += BLOCKS_AT_ONCE) {
            size_t end = first + BLOCKS_AT_ONCE < num_blocks ? first + BLOCKS_AT_ONCE : num_blocks;
            for (size_t query = 0; query < work->num_queries; query++) {
                Best *best = &share->best[query];
                raise_bound(best, best->bound);
                scan_blocks(work, part, work->tables + query * work->num_bytes * 2 * LANE_BYTES, first, end, best);
            }
        }
    }
    return NULL;
}

/* Makes tables of the dot products of four values of each query with the 16 patterns of signs, as 8-bit steps.

   queries: (num_queries, 4 * num_tables)
   steps: (num_queries, num_tables, 16); those of a query add up to 65,535 at most
   widths: (num_queries), of a step
   lowest: (num_queries), the dot product that no steps stand for: that of opposite signs everywhere */
void fast_scan_tables(
    const float *queries, size_t num_queries, size_t num_tables, uint8_t *steps, float *widths, float *lowest) {
    for (size_t query = 0; query < num_queries; query++, queries += 4 * num_tables) {
        float widest = 0, together = 0;
        for (size_t table = 0; table < num_tables; table++) {
            const float *four = queries + 4 * table;
            float width = 2 * (fabsf(four[0]) + fabsf(four[1]) + fabsf(four[2]) + fabsf(four[3]));
            widest = width > widest ? width : widest;
            together += width;
        }
        /* Rounding adds half a step per table at most. */
        float width = fmaxf(widest / MOST_STEPS_PER_TABLE, together / (float)(MOST_STEPS - (num_tables + 1) / 2));
        widths[query] = width = width > 0 ? width : 1;
        lowest[query] = -together / 2;
        for (size_t table = 0; table < num_tables; table++) {
            const float *four = queries + 4 * table;
            float least = fabsf(four[0]) + fabsf(four[1]) + fabsf(four[2]) + fabsf(four[3]);
            for (unsigned pattern = 0; pattern < 16; pattern++) {
                float dot = (pattern & 8 ? four[0] : -four[0]) + (pattern & 4 ? four[1] : -four[1]) +
                            (pattern & 2 ? four[2] : -four[2]) + (pattern & 1 ? four[3] : -four[3]);
                *steps++ = (uint8_t)((dot + least) / width + 0.5f);
            }
        }
    }
}

int fast_scan_is_supported(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

/* Finds the `k` best rows of each query in all parts.

   parts: (num_parts)
   num_bytes: of a sign code; block_bytes: from a block to the next, at least 64 * num_bytes
   tables: (num_queries, 2 * num_bytes, 16); those of a query may add up to 65,535 at most
   num_threads: at most MOST_THREADS
   keys: (num_threads, num_queries, room), room > min(k, all rows); the best of each query are the first of its own in keys[0], unsorted
   counts: (num_queries), how many there are

   Returns 0, or -1 if there is no memory. A thread that cannot be started leaves its share to the others. */
int fast_scan_search(
    const Part *parts, size_t num_parts, size_t num_bytes, size_t block_bytes, const uint8_t *tables,
    size_t num_queries, size_t k, size_t room, size_t num_threads, uint64_t *keys, int64_t *counts) {
    Work work = {parts, num_parts, num_bytes, block_bytes, num_queries, tables, 0};
    _Atomic uint64_t *bounds = calloc(num_queries, sizeof *bounds);
    Best *best = malloc(num_threads * num_queries * sizeof *best);
    if (bounds == NULL || best == NULL) {
        free(bounds);
        free(best);
        return -1;
    }
    for (size_t each = 0; each < num_threads * num_queries; each++)
        best[each] = (Best){keys + each * room, 0, k, room, 0, &bounds[each % num_queries]};

    pthread_t threads[MOST_THREADS];
    Share shares[MOST_THREADS];
    size_t num_started = 1;
    if (num_threads > 1) { /* signals are for the threads that Python knows */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        for (; num_started < num_threads; num_started++) {
            shares[num_started] = (Share){&work, best + num_started * num_queries};
            if (pthread_create(&threads[num_started], NULL, scan_parts, &shares[num_started]) != 0) break;
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    shares[0] = (Share){&work, best};
    scan_parts(&shares[0]);
    for (size_t thread = 1; thread < num_started; thread++) {
        pthread_join(threads[thread], NULL);
        for (size_t query = 0; query < num_queries; query++) {
            const Best *found = &shares[thread].best[query];
            for (size_t each = 0; each < found->count; each++) add(&best[query], found->keys[each]);
        }
    }
    for (size_t query = 0; query < num_queries; query++) {
        if (best[query].count > k) keep_best(&best[query]);
        counts[query] = (int64_t)best[query].count;
    }
    free(best);
    free(bounds);
    return 0;
}

/* Puts together the sign codes (num_rows, num_bytes) at some rows of one part. */
void fast_scan_codes(
    const uint8_t *packed, size_t num_bytes, size_t block_bytes, const int64_t *rows, size_t num_rows, uint8_t *codes) {
    for (size_t each = 0; each < num_rows; each++, codes += num_bytes) {
        if (each + ROWS_AHEAD < num_rows) {
            const uint8_t *next = packed + (size_t)rows[each + ROWS_AHEAD] / BLOCK_ROWS * block_bytes;
            for (size_t at = 0; at < num_bytes; at++) _mm_prefetch((const char *)(next + BLOCK_ROWS * at), _MM_HINT_T0);
        }
        size_t row = (size_t)rows[each] % BLOCK_ROWS, within = row % LANE_BYTES;
        const uint8_t *lane = packed + (size_t)rows[each] / BLOCK_ROWS * block_bytes;
        lane += row / GROUP_ROWS * 2 * LANE_BYTES + within % 8 * 2 + within / 8;
        unsigned shift = row % GROUP_ROWS < LANE_BYTES ? 0 : 4;
        for (size_t at = 0; at < num_bytes; at++, lane += BLOCK_ROWS)
            codes[at] = (uint8_t)((lane[0] >> shift & 15) << 4 | (lane[LANE_BYTES] >> shift & 15));
    }
}

#else /* never called, but there to be found */

int fast_scan_is_supported(void) { return 0; }
void fast_scan_tables(void) {}
void fast_scan_search(void) {}
void fast_scan_codes(void) {}

#endif
