/* SPDX-License-Identifier: MIT */
#pragma once

/* The JSON documents that rngd and entropy-seeder leave in /run/guest-entropy. */

#include "lib/base/json.h"

#define DOCUMENTS_DIRECTORY "/run/guest-entropy"

/* The initramfs and the real root each have a run report for this many runs of the seeder. */
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

/* directory contains the documents. -ENOENT or -ECONNREFUSED if there is none, -EBADMSG if it is
 * not a JSON object. The caller releases the object. */
_must_check_ int document_read(const char *directory, DocumentId id, Json **ret_document);

/*
 * The public parts of a document. A recording is world-readable, but the seeder's run report also
 * holds the salt and the digests of seeds. NULL if memory runs out.
 */
Json *document_public(Json *document);
