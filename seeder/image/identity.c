/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "seeder/image/find.h"

#define DBUS_ID      "var/lib/dbus/machine-id"
#define ID_MAX_BYTES 128U

typedef enum IdKind {
        ID_ABSENT,
        ID_UNINITIALIZED,
        ID_EMPTY,
        ID_SET,
        ID_OTHER,
} IdKind;

static IdKind id_kind(const char *text, size_t length) {
        while (length > 0 && isspace((unsigned char)text[length - 1]))
                length--;
        if (length == 0)
                return ID_EMPTY;
        if (length == strlen("uninitialized") && memcmp(text, "uninitialized", length) == 0)
                return ID_UNINITIALIZED;
        for (size_t i = 0; i < length; i++)
                if (!isxdigit((unsigned char)text[i]))
                        return ID_OTHER;
        return length == 32 ? ID_SET : ID_OTHER;
}

static int read_id(const Tree *tree, const char *path, IdKind *ret_kind) {
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r;

        r = tree_read(tree, path, ID_MAX_BYTES, &text, &length);
        if (r == TREE_E_ABSENT) {
                *ret_kind = ID_ABSENT;
                return 0;
        }
        if (r == TREE_E_NOT_A_FILE || r == -EFBIG) {
                *ret_kind = ID_OTHER;
                return 0;
        }
        if (r < 0)
                return r;
        *ret_kind = id_kind(text, length);
        return 0;
}

static const char *const reasons[] = {
        [ID_ABSENT] = "is absent, as it may be",
        [ID_UNINITIALIZED] = "is as it should be",
        [ID_EMPTY] = ("is empty: each clone gets an id of its own, but without first-boot mode, so "
                      "that each may credit the same saved seed"),
        [ID_SET] = "is set, the same in every clone",
        [ID_OTHER] = "is neither \"uninitialized\" nor an id",
};

/* What clean does depends on what the name itself is. Returns 0, _E_ABSENT or an errno. */
static int identify(const Tree *tree, Item *item, bool *ret_link) {
        _cleanup_entry_ Entry entry = ENTRY_NULL;
        int r;

        r = entry_open(tree, item->path, &entry);
        if (r != 0)
                return r;
        item->device = entry.status.st_dev;
        item->inode = entry.status.st_ino;
        if (!S_ISREG(entry.status.st_mode))
                item->action = ACTION_MANUAL;
        *ret_link = S_ISLNK(entry.status.st_mode);
        return 0;
}

static void find_machine_id(const Tree *tree, Report *report) {
        Item item = item_of(RULE_MACHINE_ID, STATE_FINDING, MACHINE_ID);
        bool link = false;
        IdKind kind;
        int r;

        r = identify(tree, &item, &link);
        if (r >= 0)
                r = read_id(tree, MACHINE_ID, &kind);
        if (r < 0)
                report_add_error(report, RULE_MACHINE_ID, MACHINE_ID, r);
        else if (kind == ID_ABSENT || kind == ID_UNINITIALIZED)
                report_add(
                        report,
                        item_of(RULE_MACHINE_ID, STATE_OK, MACHINE_ID),
                        "%s",
                        reasons[kind]);
        else
                report_add(
                        report,
                        item,
                        "%s%s",
                        reasons[kind],
                        link ? "; it is a symbolic link: not followed" : "");
}

/* A link to the machine id is what D-Bus wants. */
static void find_dbus_id(const Tree *tree, Report *report) {
        Item item = item_of(RULE_DBUS_ID, STATE_FINDING, DBUS_ID);
        bool link = false;
        IdKind kind;
        int r;

        r = identify(tree, &item, &link);
        if (r == TREE_E_ABSENT || link)
                return;
        if (r >= 0)
                r = read_id(tree, DBUS_ID, &kind);
        if (r < 0)
                report_add_error(report, RULE_DBUS_ID, DBUS_ID, r);
        else if (kind == ID_SET || kind == ID_OTHER)
                report_add(report, item, "%s", reasons[kind]);
}

/* Removed keys must come from somewhere, or nobody logs in. */
static void find_key_maker(const Tree *tree, Report *report) {
        static const char *const makers[] = {
                "usr/bin/cloud-init",
                "usr/lib/systemd/system/sshd-keygen@.service",
                "usr/lib/systemd/system/sshdgenkeys.service",
                "usr/lib/systemd/system/sshd-keygen.service",
                "etc/systemd/system/sshd-keygen.service",
                "etc/init.d/sshd",
        };
        static const char server[] = "usr/sbin/sshd";

        if (!tree_has(tree, server))
                return;
        for (size_t i = 0; i < ELEMENTSOF(makers); i++)
                if (tree_has(tree, makers[i]))
                        return;
        report_add(
                report,
                item_of(RULE_SSH_KEY_MAKER, STATE_NOTE, server),
                "is here, but nothing was found that makes host keys at the first boot");
}

void identity_find(const Tree *tree, Report *report) {
        find_machine_id(tree, report);
        find_dbus_id(tree, report);
        find_key_maker(tree, report);
}
