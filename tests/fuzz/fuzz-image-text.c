/* SPDX-License-Identifier: MIT */
/* Any bytes as the texts of an image. What is found must be in the text: a line that exists, and a
 * word without which nothing can have been found. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seeder/image/text.h"

static void check(bool right) {
        if (!right)
                abort();
}

static bool holds(const char *text, size_t length, const char *word) {
        return length > 0 && memmem(text, length, word, strlen(word));
}

static void check_line(unsigned number, const char *text, size_t length, const char *word) {
        unsigned lines = 1;

        if (number == 0)
                return;
        for (size_t i = 0; i < length; i++)
                lines += text[i] == '\n' ? 1 : 0;
        check(number <= lines);
        check(holds(text, length, word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *)data;
        unsigned bits;

        if (image_text_kernel_option(text, size, "CONFIG_A") != KERNEL_OPTION_UNNAMED)
                check(holds(text, size, "CONFIG_A"));
        check_line(image_text_feeds_itself(text, size), text, size, "random");
        /* Quotes may stand between any two characters. */
        for (unsigned comments = 0; comments < 2; comments++) {
                check_line(image_text_has_boot_seed(text, size, comments), text, size, "=");
                check_line(image_text_has_boot_credential(text, size, comments), text, size, ":");
        }
        check_line(image_text_has_unit_credential(text, size), text, size, "entropy.seed:");
        if (image_text_has_key(text, size, "random_seed"))
                check(size >= strlen("random_seed"));

        bits = image_text_listing_line(text, size);
        check(!(bits & IMAGE_LISTING_VIRTIO_RNG) || holds(text, size, "/virtio-rng.ko"));
        check(!(bits & IMAGE_LISTING_SEEDER) || holds(text, size, "/entropy-seeder"));
        check(!(bits & IMAGE_LISTING_SEED) || holds(text, size, "seed"));
        return 0;
}
