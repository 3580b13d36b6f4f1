/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "seeder/image/find.h"
#include "seeder/image/text.h"

#define TEXT_MAX_BYTES    (256U * 1024)
#define PROGRAM_MAX_BYTES (64U * 1024 * 1024)
#define NAME              "guest-entropy.conf"

static void add(Report *report, RuleId rule, bool good, const char *path, const char *detail) {
        const State state = good ? STATE_OK : STATE_FINDING;

        report_add(report, item_of(rule, state, path), "%s", detail);
}

static void note_match(const char *path, void *userdata) {
        *(bool *)userdata = true;
}

/* A directory that cannot be read has nothing that a boot would see either. */
static bool any_matches(const Tree *tree, const char *pattern) {
        bool found = false;

        (void)!tree_glob(tree, pattern, note_match, &found);
        return found;
}

static bool any_of(const Tree *tree, const char *const patterns[], size_t n, const char *name) {
        char path[TREE_PATH_MAX_BYTES];

        for (size_t i = 0; i < n; i++)
                if (tree_path(patterns[i], name, path) && any_matches(tree, path))
                        return true;
        return false;
}

/* systemctl mask: a link to /dev/null, or an empty file. */
static bool unit_is_masked(const Tree *tree, const char *unit) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        char path[256], target[64];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "etc/systemd/system/%s", unit);
        if (entry_open(tree, path, &entry) != 0)
                return false;
        if (S_ISREG(entry.status.st_mode))
                return entry.status.st_size == 0;
        n = readlinkat(entry.fd, "", target, sizeof(target));
        return n == (ssize_t)strlen("/dev/null") && memcmp(target, "/dev/null", (size_t)n) == 0;
}

static bool unit_exists(const Tree *tree, const char *unit) {
        static const char *const places[] = {
                "usr/lib/systemd/system/%",
                "lib/systemd/system/%",
                "etc/systemd/system/%",
        };

        return any_of(tree, places, ELEMENTSOF(places), unit);
}

static bool unit_is_enabled(const Tree *tree, const char *unit) {
        static const char *const places[] = {
                "etc/systemd/system/*.wants/%",     "etc/systemd/system/*.requires/%",
                "usr/lib/systemd/system/*.wants/%", "usr/lib/systemd/system/*.requires/%",
                "lib/systemd/system/*.wants/%",     "lib/systemd/system/*.requires/%",
        };

        return !unit_is_masked(tree, unit) && any_of(tree, places, ELEMENTSOF(places), unit);
}

/* Debian's links for sysvinit, OpenRC's runlevels, runit's services */
static bool script_is_enabled(const Tree *tree, const char *name) {
        static const char *const places[] = {
                "etc/rc[S2345].d/S[0-9][0-9]%",
                "etc/runlevels/*/%",
                "etc/runit/runsvdir/*/%",
                "var/service/%",
        };

        return any_of(tree, places, ELEMENTSOF(places), name);
}

static bool has_systemd(const Tree *tree) {
        return tree_has(tree, "usr/lib/systemd/systemd") || tree_has(tree, "lib/systemd/systemd");
}

/* Whether there is one, and it is ours. */
static bool find_rngd(const Tree *tree, Report *report) {
        static const char *const places[] = { "usr/sbin/rngd", "usr/bin/rngd", "sbin/rngd" };
        bool ours = false;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *bytes = NULL;
                size_t length;

                r = tree_read(tree, places[i], PROGRAM_MAX_BYTES, &bytes, &length);
                if (r == TREE_E_ABSENT)
                        continue;
                /* Its configuration file's name is in our rngd, and in no other. */
                ours = r == 0 && memmem(bytes, length, NAME, strlen(NAME));
                report->no_memory |= r == -ENOMEM;
                if (r != 0)
                        report_add(
                                report,
                                item_of(RULE_PROGRAM_RNGD, STATE_UNKNOWN, places[i]),
                                "cannot be read");
                else
                        add(report,
                            RULE_PROGRAM_RNGD,
                            ours,
                            places[i],
                            ours ? "is guest-entropy's"
                                 : "is that of rng-tools, not guest-entropy's");
                return ours;
        }
        add(report, RULE_PROGRAM_RNGD, false, NULL, "rngd is not installed");
        return false;
}

static void find_seeder(const Tree *tree, Report *report) {
        static const char *const places[] = {
                "usr/bin/entropy-seeder",
                "usr/sbin/entropy-seeder",
                "usr/lib/guest-entropy/entropy-seeder",
                "usr/libexec/guest-entropy/entropy-seeder",
        };

        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (tree_has(tree, places[i])) {
                        add(report, RULE_PROGRAM_SEEDER, true, places[i], "is installed");
                        return;
                }
        add(report, RULE_PROGRAM_SEEDER, false, NULL, "entropy-seeder is not installed");
}

static void find_hook(const Tree *tree, Report *report) {
        static const char *const patterns[] = {
                "usr/share/initramfs-tools/hooks/*entropy*",
                "etc/initramfs-tools/hooks/*entropy*",
                "usr/lib/dracut/modules.d/*entropy*",
                "usr/lib/initcpio/install/*entropy*",
        };

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                if (any_matches(tree, patterns[i])) {
                        add(report, RULE_INITRAMFS_HOOK, true, NULL, patterns[i]);
                        return;
                }
        add(report,
            RULE_INITRAMFS_HOOK,
            false,
            NULL,
            "no hook of guest-entropy for initramfs-tools, dracut or mkinitcpio");
}

static void check_unit(const Tree *tree, const char *unit, Report *report) {
        const char *what = unit_is_masked(tree, unit)     ? "is masked"
                           : !unit_exists(tree, unit)     ? "is not installed"
                           : !unit_is_enabled(tree, unit) ? "is not enabled"
                                                          : NULL;

        report_add(
                report,
                item_of(RULE_UNIT, what ? STATE_FINDING : STATE_OK, NULL),
                "%s %s",
                unit,
                what ? what : "is enabled");
}

static void find_units(const Tree *tree, Report *report) {
        static const char *const units[] = {
                "rngd.service",
                "entropy-seeder.service",
                "entropy-seeder-save.service",
        };

        if (has_systemd(tree))
                for (size_t i = 0; i < ELEMENTSOF(units); i++)
                        check_unit(tree, units[i], report);
        else if (script_is_enabled(tree, "entropy-seeder") || script_is_enabled(tree, "rngd"))
                add(report, RULE_UNIT, true, NULL, "a service of guest-entropy is enabled");
        else
                add(report,
                    RULE_UNIT,
                    false,
                    NULL,
                    "neither systemd nor an enabled service of guest-entropy is here");
}

typedef struct Conflict {
        const char *unit, *script, *program, *reason;
} Conflict;

static void check_conflict(const Tree *tree, const Conflict *other, Report *report) {
        if (unit_is_enabled(tree, other->unit) || script_is_enabled(tree, other->script))
                report_add(
                        report,
                        item_of(RULE_CONFLICTING_DAEMON, STATE_FINDING, NULL),
                        "%s is enabled: %s",
                        other->unit,
                        other->reason);
        else if (
                unit_exists(tree, other->unit) ||
                (other->program && tree_has(tree, other->program)))
                report_add(
                        report,
                        item_of(RULE_CONFLICTING_DAEMON, STATE_NOTE, NULL),
                        "%s is installed, and not enabled",
                        other->unit);
}

static void find_conflicts(const Tree *tree, bool rngd_is_guest_entropy, Report *report) {
        static const Conflict others[] = {
                { "haveged.service",
                  "haveged",
                  "usr/sbin/haveged",
                  "it credits what it makes of CPU timing, as much as is asked" },
                { "rng-tools.service",
                  "rng-tools",
                  NULL,
                  "a second daemon feeds the kernel from the same device" },
                { "rng-tools-debian.service",
                  "rng-tools-debian",
                  NULL,
                  "a second daemon feeds the kernel from the same device" },
                { "rng-tools5.service",
                  "rng-tools5",
                  NULL,
                  "a second daemon feeds the kernel from the same device" },
                { "rngd.service", "rngd", NULL, "it is that of rng-tools" },
                { "jitterentropy.service",
                  "jitterentropy-rngd",
                  "usr/sbin/jitterentropy-rngd",
                  "it wakes every five seconds, and feeds a kernel that needs nothing" },
        };

        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (!rngd_is_guest_entropy || strcmp(others[i].unit, "rngd.service") != 0)
                        check_conflict(tree, &others[i], report);
}

typedef struct TextFinder {
        const Tree *tree;
        Report *report;
} TextFinder;

static void visit_text(const char *path, void *userdata) {
        const TextFinder *finder = userdata;
        _cleanup_free_ char *text = NULL;
        unsigned line;
        size_t length = 0;
        int r;

        r = tree_read(finder->tree, path, TEXT_MAX_BYTES, &text, &length);
        if (r < 0)
                report_add_error(finder->report, RULE_RNGD_FEEDS_ITSELF, path, r);
        /* Nothing was read of what is no file: a masked unit, for one. */
        line = image_text_feeds_itself(text, length);
        if (line > 0)
                report_add(
                        finder->report,
                        item_of(RULE_RNGD_FEEDS_ITSELF, STATE_FINDING, path),
                        "line %u has rngd read the kernel's own output and credit it as fresh",
                        line);
}

static void find_texts(const Tree *tree, Report *report) {
        static const char *const patterns[] = {
                "etc/sysconfig/rngd",
                "etc/sysconfig/rng-tools",
                "etc/default/rng*",
                "etc/conf.d/rng*",
                "etc/rc.local",
                "etc/guest-entropy.conf",
                "etc/systemd/system/rng*.service",
                "etc/systemd/system/rng*.service.d/*.conf",
                "usr/lib/systemd/system/rng*.service",
                "usr/lib/systemd/system/rng*.service.d/*.conf",
                "etc/init.d/rng*",
        };
        TextFinder finder = { tree, report };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
                r = tree_glob(tree, patterns[i], visit_text, &finder);
                if (r < 0)
                        report_add_error(report, RULE_RNGD_FEEDS_ITSELF, patterns[i], r);
        }
}

void services_find(const Tree *tree, Report *report) {
        bool ours = find_rngd(tree, report);

        find_seeder(tree, report);
        find_hook(tree, report);
        find_units(tree, report);
        find_conflicts(tree, ours, report);
        find_texts(tree, report);
}
