/* Dot products of a float query with vectors known by their signs. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { PATTERNS = 16 };

/* query: (8 * num_bytes), zeros after its end; codes: (num_rows, num_bytes), the first dimension in the highest bit.
   Returns 0, or -1 if there is no memory. */
int sign_dots(const float *query, const uint8_t *codes, size_t num_rows, size_t num_bytes, float *dots) {
    float *tables = malloc((2 * num_bytes * PATTERNS + 1) * sizeof *tables);
    if (tables == NULL) return -1;
    for (size_t at = 0; at < 2 * num_bytes * PATTERNS; at++) {
        const float *four = query + at / PATTERNS * 4;
        tables[at] = (at & 8 ? four[0] : -four[0]) + (at & 4 ? four[1] : -four[1]) + (at & 2 ? four[2] : -four[2]) +
                     (at & 1 ? four[3] : -four[3]);
    }
    for (size_t row = 0; row < num_rows; row++, codes += num_bytes) {
        float upper = 0, lower = 0;
        for (size_t at = 0; at < num_bytes; at++) {
            const float *both = tables + 2 * PATTERNS * at;
            upper += both[codes[at] >> 4];
            lower += both[PATTERNS + (codes[at] & 15)];
        }
        dots[row] = upper + lower;
    }
    free(tables);
    return 0;
}
