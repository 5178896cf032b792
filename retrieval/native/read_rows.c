/* Rows that are far apart in a file, read without going back to Python between them. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* Reads num_rows rows of row_bytes each, from starts (num_rows) to `into`. Returns 0; the error of the system; or -1 if
   the file ends before. */
int read_rows(int file, const int64_t *starts, size_t num_rows, size_t row_bytes, char *into) {
    for (size_t row = 0; row < num_rows; row++) {
        for (size_t done = 0; done < row_bytes;) {
            ssize_t num_read = pread(file, into + row * row_bytes + done, row_bytes - done, starts[row] + (off_t)done);
            if (num_read < 0 && errno == EINTR) continue;
            if (num_read <= 0) return num_read < 0 ? errno : -1;
            done += (size_t)num_read;
        }
    }
    return 0;
}
