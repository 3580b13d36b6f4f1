/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "seeder/image/boot.h"
#include "seeder/image/text.h"
#include "seeder/image/uki.h"

#define TEXT_MAX_BYTES (1024U * 1024)

#define EVERY_CLONE ": every clone uses the same, and every user can read it"
#define BOOT_DETAIL "has systemd.random_seed=" EVERY_CLONE
#define CRED_DETAIL "has systemd.set_credential= with entropy.seed" EVERY_CLONE
#define UNIT_DETAIL "has SetCredential= with entropy.seed: every clone uses the same"
#define FILE_DETAIL "a seed as a credential of the boot loader, the same in every clone"

typedef struct Finder {
        const ImageTree *tree;
        ImageReport *report;
        char *buffer;  /* TEXT_MAX_BYTES */
        bool comments; /* the file has them, from # to the end of the line */
} Finder;

/* line 0: in the whole of it */
static int add(
        const Finder *finder,
        ImageRuleId rule,
        const char *path,
        unsigned line,
        const char *detail) {
        char place[32] = "";

        if (line > 0)
                (void)snprintf(place, sizeof(place), "line %u ", line);
        return image_report_add(
                finder->report,
                rule,
                IMAGE_STATE_FINDING,
                path,
                "%s%s",
                place,
                detail);
}

static int add_error(const Finder *finder, const char *path, int error) {
        return image_report_add_error(finder->report, RULE_BOOT_SEED, path, error);
}

static int read_text(const Finder *finder, const char *path, size_t *ret_length) {
        int r;

        r = image_tree_read(finder->tree, path, finder->buffer, TEXT_MAX_BYTES, ret_length);
        if (r < 0)
                r = add_error(finder, path, r);
        else if (r > 0)
                *ret_length = 0; /* absent, or a directory */
        return r < 0 ? r : 0;
}

static int visit_text(const char *path, void *userdata) {
        const Finder *finder = userdata;
        size_t length = 0;
        unsigned line;
        int r;

        r = read_text(finder, path, &length);
        if (r < 0)
                return r;
        line = image_text_has_boot_seed(finder->buffer, length, finder->comments);
        if (line > 0) {
                r = add(finder, RULE_BOOT_SEED, path, line, BOOT_DETAIL);
                if (r < 0)
                        return r;
        }
        line = image_text_has_boot_credential(finder->buffer, length, finder->comments);
        return line > 0 ? add(finder, RULE_BOOT_CREDENTIAL, path, line, CRED_DETAIL) : 0;
}

static int visit_unit(const char *path, void *userdata) {
        const Finder *finder = userdata;
        size_t length = 0;
        unsigned line;
        int r;

        r = read_text(finder, path, &length);
        if (r < 0)
                return r;
        line = image_text_has_unit_credential(finder->buffer, length);
        return line > 0 ? add(finder, RULE_CREDENTIAL_SEED, path, line, UNIT_DETAIL) : 0;
}

static int visit_credential(const char *path, void *userdata) {
        return add(userdata, RULE_CREDENTIAL_SEED, path, 0, FILE_DETAIL);
}

/* A section that is longer than that, or than its file, was not looked at whole. */
static int check_section(
        const Finder *finder,
        const char *path,
        int fd,
        const ImageUkiSection *section) {
        size_t size = MIN(section->length, TEXT_MAX_BYTES), length;
        int r;

        if (lseek(fd, (off_t)section->offset, SEEK_SET) < 0)
                return add_error(finder, path, negative_errno());
        r = io_read_full(fd, finder->buffer, size, &length);
        if (r < 0)
                return add_error(finder, path, r);
        if (image_text_has_boot_seed(finder->buffer, length, false) > 0)
                r = add(finder, RULE_BOOT_SEED, path, 0, "its command line " BOOT_DETAIL);
        if (r >= 0 && image_text_has_boot_credential(finder->buffer, length, false) > 0)
                r = add(finder, RULE_BOOT_CREDENTIAL, path, 0, "its command line " CRED_DETAIL);
        if (r >= 0 && length < section->length)
                r = add_error(finder, path, length < size ? -EBADMSG : -EFBIG);
        return r;
}

static int check_sections(
        const Finder *finder,
        const char *path,
        int fd,
        const uint8_t *head,
        size_t length) {
        unsigned number = 0;
        int r;

        for (;;) {
                ImageUkiSection section;

                r = image_uki_next_section(head, length, ".cmdline", &number, &section);
                if (r < 0)
                        return add_error(finder, path, r);
                if (r > 0)
                        return 0;
                r = check_section(finder, path, fd, &section);
                if (r < 0)
                        return r;
        }
}

static int visit_uki(const char *path, void *userdata) {
        const Finder *finder = userdata;
        _cleanup_free_ uint8_t *head = malloc(IMAGE_UKI_HEAD_BYTES);
        _cleanup_close_ int fd = -1;
        size_t length;
        int r;

        if (!head)
                return -ENOMEM;
        r = image_tree_open_file(finder->tree, path, &fd);
        if (r > 0)
                return 0;
        if (r == 0)
                r = io_read_full(fd, head, IMAGE_UKI_HEAD_BYTES, &length);
        if (r < 0)
                return add_error(finder, path, r);
        return check_sections(finder, path, fd, head, length);
}

static int find(const Finder *finder, const char *pattern, ImageTreeVisit visit) {
        Finder copy = *finder;
        int r;

        r = image_tree_glob(finder->tree, pattern, visit, &copy);
        return r < 0 ? add_error(finder, pattern, r) : 0;
}

/* Below the places where the ESP and its kin are mounted; FAT's names come in either case. */
static int find_on_boot_partitions(const Finder *finder) {
        static const char *const places[] = { "boot", "efi", "boot/efi" };
        static const struct {
                const char *pattern;
                ImageTreeVisit visit;
        } rules[] = {
                { "loader/entries/*.conf", visit_text },
                { "[Ee][Ff][Ii]/*/grub.cfg", visit_text },
                { "[Ee][Ff][Ii]/*/*.[Ee][Ff][Ii]", visit_uki },
                { "[Ee][Ff][Ii]/*/*.extra.d/*.[Ee][Ff][Ii]", visit_uki },
                { "loader/addons/*.[Ee][Ff][Ii]", visit_uki },
                { "[Ee][Ff][Ii]/*/*.extra.d/entropy.seed.cred", visit_credential },
                { "loader/credentials/entropy.seed.cred", visit_credential },
        };
        char pattern[128];
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                for (size_t j = 0; j < ELEMENTSOF(rules) && r >= 0; j++) {
                        (void)snprintf(
                                pattern,
                                sizeof(pattern),
                                "%s/%s",
                                places[i],
                                rules[j].pattern);
                        r = find(finder, pattern, rules[j].visit);
                }
        return r;
}

static int find_elsewhere(Finder *finder) {
        static const struct {
                const char *pattern;
                ImageTreeVisit visit;
                bool no_comments;
        } rules[] = {
                { "etc/default/grub", visit_text, false },
                { "etc/default/grub.d/*.cfg", visit_text, false },
                { "etc/grub.d/*", visit_text, false },
                { "boot/grub*/*.cfg", visit_text, false },
                { "boot/grub*/grubenv", visit_text, true },
                { "boot/extlinux/*.conf", visit_text, false },
                { "boot/syslinux/*.cfg", visit_text, false },
                { "boot/refind_linux.conf", visit_text, false },
                { "boot/cmdline.txt", visit_text, true },
                { "boot/firmware/cmdline.txt", visit_text, true },
                { "etc/zipl.conf", visit_text, false },
                { "etc/default/u-boot", visit_text, false },
                { "etc/kernel/cmdline", visit_text, true },
                { "usr/lib/kernel/cmdline", visit_text, true },
                { "etc/kernel/uki.conf", visit_text, false },
                { "etc/cmdline.d/*.conf", visit_text, false },
                { "etc/dracut.conf", visit_text, false },
                { "etc/dracut.conf.d/*.conf", visit_text, false },
                { "usr/lib/dracut/dracut.conf.d/*.conf", visit_text, false },
                { "usr/lib/modules/*/*.efi", visit_uki, false },
                { "etc/systemd/system/entropy-seeder*.service", visit_unit, false },
                { "etc/systemd/system/entropy-seeder*.service.d/*.conf", visit_unit, false },
                { "etc/systemd/system/service.d/*.conf", visit_unit, false },
                { "usr/lib/systemd/system/entropy-seeder*.service", visit_unit, false },
                { "usr/lib/systemd/system/entropy-seeder*.service.d/*.conf", visit_unit, false },
                { "usr/lib/systemd/system/service.d/*.conf", visit_unit, false },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(rules) && r >= 0; i++) {
                finder->comments = !rules[i].no_comments;
                r = find(finder, rules[i].pattern, rules[i].visit);
        }
        return r;
}

int image_boot_find(const ImageTree *tree, ImageReport *report) {
        _cleanup_free_ char *buffer = malloc(TEXT_MAX_BYTES);
        Finder finder = { tree, report, buffer, true };
        int r;

        if (!buffer)
                return -ENOMEM;
        r = find_on_boot_partitions(&finder);
        return r < 0 ? r : find_elsewhere(&finder);
}
