/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/io.h"
#include "seeder/image/find.h"
#include "seeder/image/text.h"
#include "seeder/image/uki.h"

#define TEXT_MAX_BYTES (1024U * 1024)

#define EVERY_CLONE "every clone uses the same"

typedef struct Finder {
        const Tree *tree;
        Report *report;
} Finder;

static void add_error(const Finder *finder, const char *path, int error) {
        report_add_error(finder->report, RULE_BOOT_SEED, path, error);
}

/* What a kernel's command line, or a text with some in it, hands to every boot. */
static void add_parameters(
        const Finder *finder,
        const char *path,
        const char *text,
        size_t length,
        bool is_section,
        bool comments) {
        static const struct {
                RuleId rule;
                unsigned (*has)(const char *text, size_t length, bool comments);
                const char *what;
        } parameters[] = {
                { RULE_BOOT_SEED, image_text_has_boot_seed, "systemd.random_seed=" },
                { RULE_BOOT_CREDENTIAL,
                  image_text_has_boot_credential,
                  "systemd.set_credential= with entropy.seed" },
        };

        for (size_t i = 0; i < ELEMENTSOF(parameters); i++) {
                unsigned line = parameters[i].has(text, length, comments);
                char place[32] = "its command line";

                if (line == 0)
                        continue;
                if (!is_section)
                        (void)snprintf(place, sizeof(place), "line %u", line);
                report_add(
                        finder->report,
                        item_of(parameters[i].rule, STATE_FINDING, path),
                        "%s has %s: " EVERY_CLONE ", and every user can read it",
                        place,
                        parameters[i].what);
        }
}

/* To be freed. Nothing of what is absent, or a directory. */
static char *read_text(const Finder *finder, const char *path, size_t *ret_length) {
        char *text = NULL;
        int r;

        *ret_length = 0;
        r = tree_read(finder->tree, path, TEXT_MAX_BYTES, &text, ret_length);
        if (r < 0)
                add_error(finder, path, r);
        return text;
}

/* A file with comments, from # to the end of the line */
static void visit_text(const char *path, void *userdata) {
        size_t length;
        _cleanup_free_ char *text = read_text(userdata, path, &length);

        add_parameters(userdata, path, text, length, false, true);
}

static void visit_without_comments(const char *path, void *userdata) {
        size_t length;
        _cleanup_free_ char *text = read_text(userdata, path, &length);

        add_parameters(userdata, path, text, length, false, false);
}

static void visit_unit(const char *path, void *userdata) {
        const Finder *finder = userdata;
        size_t length;
        _cleanup_free_ char *text = read_text(finder, path, &length);
        unsigned line = image_text_has_unit_credential(text, length);

        if (line > 0)
                report_add(
                        finder->report,
                        item_of(RULE_CREDENTIAL_SEED, STATE_FINDING, path),
                        "line %u has SetCredential= with entropy.seed: " EVERY_CLONE,
                        line);
}

static void visit_credential(const char *path, void *userdata) {
        const Finder *finder = userdata;

        report_add(
                finder->report,
                item_of(RULE_CREDENTIAL_SEED, STATE_FINDING, path),
                "a seed as a credential of the boot loader, the same in every clone");
}

/* A section that is longer than that, or than its file, was not looked at whole. */
static void check_section(
        const Finder *finder,
        const char *path,
        int fd,
        const UkiSection *section) {
        size_t size = MIN(section->length, TEXT_MAX_BYTES), length = 0;
        _cleanup_free_ char *text = malloc(size);
        int r = text ? 0 : -ENOMEM;

        if (r >= 0 && lseek(fd, (off_t)section->offset, SEEK_SET) < 0)
                r = negative_errno();
        if (r >= 0)
                r = io_read_full(fd, text, size, &length);
        add_parameters(finder, path, text, length, true, false);
        if (r >= 0 && length < section->length)
                r = length < size ? -EBADMSG : -EFBIG;
        if (r < 0)
                add_error(finder, path, r);
}

static void visit_uki(const char *path, void *userdata) {
        const Finder *finder = userdata;
        _cleanup_free_ uint8_t *head = malloc(UKI_HEAD_BYTES);
        _cleanup_close_ int fd = -1;
        UkiSection section;
        unsigned number = 0;
        size_t length;
        int r;

        r = head ? tree_open_file(finder->tree, path, &fd) : -ENOMEM;
        if (r == 0)
                r = io_read_full(fd, head, UKI_HEAD_BYTES, &length);
        while (r == 0) {
                r = uki_next_section(head, length, ".cmdline", &number, &section);
                if (r == 0)
                        check_section(finder, path, fd, &section);
        }
        if (r < 0)
                add_error(finder, path, r);
}

typedef struct Place {
        const char *pattern;
        TreeVisit visit;
} Place;

static void find(Finder *finder, const char *pattern, TreeVisit visit) {
        int r;

        r = tree_glob(finder->tree, pattern, visit, finder);
        if (r < 0)
                add_error(finder, pattern, r);
}

/* Below the places where the ESP and its kin are mounted; FAT's names come in either case. */
static void find_on_boot_partitions(Finder *finder) {
        static const char *const partitions[] = { "boot", "efi", "boot/efi" };
        static const Place places[] = {
                { "%/loader/entries/*.conf", visit_text },
                { "%/[Ee][Ff][Ii]/*/grub.cfg", visit_text },
                { "%/[Ee][Ff][Ii]/*/*.[Ee][Ff][Ii]", visit_uki },
                { "%/[Ee][Ff][Ii]/*/*.extra.d/*.[Ee][Ff][Ii]", visit_uki },
                { "%/loader/addons/*.[Ee][Ff][Ii]", visit_uki },
                { "%/[Ee][Ff][Ii]/*/*.extra.d/entropy.seed.cred", visit_credential },
                { "%/loader/credentials/entropy.seed.cred", visit_credential },
        };
        char pattern[TREE_PATH_MAX_BYTES];

        for (size_t i = 0; i < ELEMENTSOF(partitions); i++)
                for (size_t j = 0; j < ELEMENTSOF(places); j++)
                        if (tree_path(places[j].pattern, partitions[i], pattern))
                                find(finder, pattern, places[j].visit);
}

static void find_elsewhere(Finder *finder) {
        static const Place places[] = {
                { "etc/default/grub", visit_text },
                { "etc/default/grub.d/*.cfg", visit_text },
                { "etc/grub.d/*", visit_text },
                { "boot/grub*/*.cfg", visit_text },
                { "boot/grub*/grubenv", visit_without_comments },
                { "boot/extlinux/*.conf", visit_text },
                { "boot/syslinux/*.cfg", visit_text },
                { "boot/refind_linux.conf", visit_text },
                { "boot/cmdline.txt", visit_without_comments },
                { "boot/firmware/cmdline.txt", visit_without_comments },
                { "etc/zipl.conf", visit_text },
                { "etc/default/u-boot", visit_text },
                { "etc/kernel/cmdline", visit_without_comments },
                { "usr/lib/kernel/cmdline", visit_without_comments },
                { "etc/kernel/uki.conf", visit_text },
                { "etc/cmdline.d/*.conf", visit_text },
                { "etc/dracut.conf", visit_text },
                { "etc/dracut.conf.d/*.conf", visit_text },
                { "usr/lib/dracut/dracut.conf.d/*.conf", visit_text },
                { "usr/lib/modules/*/*.efi", visit_uki },
                { "etc/systemd/system/entropy-seeder*.service", visit_unit },
                { "etc/systemd/system/entropy-seeder*.service.d/*.conf", visit_unit },
                { "etc/systemd/system/service.d/*.conf", visit_unit },
                { "usr/lib/systemd/system/entropy-seeder*.service", visit_unit },
                { "usr/lib/systemd/system/entropy-seeder*.service.d/*.conf", visit_unit },
                { "usr/lib/systemd/system/service.d/*.conf", visit_unit },
        };

        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                find(finder, places[i].pattern, places[i].visit);
}

void boot_find(const Tree *tree, Report *report) {
        Finder finder = { tree, report };

        find_on_boot_partitions(&finder);
        find_elsewhere(&finder);
}
