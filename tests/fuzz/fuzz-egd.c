/* SPDX-License-Identifier: MIT */
/* Any bytes as an EGD server's answers, cut into pieces; at their end it hangs up. The first byte
 * says how much is asked for. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char *answers;
static size_t n_answers;

static ssize_t fuzz_recv(int fd, void *buffer, size_t size, int flags) {
        size_t n = n_answers < size ? n_answers : size;

        if (flags & MSG_PEEK)
                return -1; /* this server speaks only when it is asked */
        if (n > 7)
                n = 7;
        memcpy(buffer, answers, n);
        answers += n;
        n_answers -= n;
        return (ssize_t)n;
}

static ssize_t fuzz_send(int fd, const void *bytes, size_t length, int flags) {
        return (ssize_t)length;
}

#define recv fuzz_recv
#define send fuzz_send
#include "lib/sources/egd.c"
#undef recv
#undef send

static void check(int right) {
        if (!right)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        EgdConnection connection = { .fd = -1 };
        size_t length = 0, asked;
        bool reusable = false;
        uint32_t level_bits;
        uint8_t *buffer;
        int r;

        if (size == 0)
                return 0;
        asked = 1 + (size_t)data[0] * 16;
        answers = data + 1;
        n_answers = size - 1;
        buffer = malloc(asked);
        if (!buffer)
                return 0;
        r = egd_level_bits(&connection, &level_bits);
        check(r == 0 || (r == -ECONNRESET && size < 5));
        while (r == 0) {
                r = egd_read(&connection, buffer, asked, &length, &reusable);
                check(r == 0 || r == -ECONNRESET || r == -EPROTO);
                check(r < 0 || (length > 0 && length <= asked && reusable == (length == asked)));
                if (!reusable)
                        break;
                reusable = false;
        }
        free(buffer);
        return 0;
}
