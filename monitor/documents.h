/* SPDX-License-Identifier: MIT */
#pragma once

/* The JSON documents that rngd and entropy-seeder leave in /run/guest-entropy. */

#include "lib/base/json.h"

#define DOCUMENTS_DIRECTORY "/run/guest-entropy"

/* As many runs of the seeder have a run report of their own, in the initramfs and in the real root. */
#define DOCUMENT_SEEDER_RUNS 9U

typedef enum DocumentId {
        DOCUMENT_SEEDER_INITRAMFS, /* seeder-initramfs.json, seeder-initramfs-2.json and so on */
        DOCUMENT_SEEDER = DOCUMENT_SEEDER_INITRAMFS + DOCUMENT_SEEDER_RUNS, /* the same */
        DOCUMENT_RNGD = DOCUMENT_SEEDER + DOCUMENT_SEEDER_RUNS, /* asked from rngd.sock */
        _DOCUMENT_MAX,
} DocumentId;

#define DOCUMENT_NAME_MAX 32U

/* "seeder-initramfs", "seeder-2", "rngd" */
void document_name(DocumentId id, char ret_name[static DOCUMENT_NAME_MAX]);

/* directory is where they are. -ENOENT or -ECONNREFUSED where nobody left one, -EBADMSG for what is
 * not a JSON object. The caller puts the object. */
_must_check_ int document_read(const char *directory, DocumentId id, Json **ret_document);

/*
 * The parts of a document that anybody may see: a recording is readable by all, and the seeder's
 * run report also holds the salt and the digests of seeds. NULL where memory runs out.
 */
Json *document_public(Json *document);
