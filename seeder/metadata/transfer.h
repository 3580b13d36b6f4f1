/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One GET, with all that is asked of it: no proxy, no cookies, no compression, no more than
 * TRANSFER_BODY_MAX_BYTES, and redirects within the same origin (scheme, host, port) only.
 */

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/secret.h"

#define TRANSFER_BODY_MAX_BYTES    JSON_DOCUMENT_MAX_BYTES
#define TRANSFER_HEADERS_MAX_BYTES 32768U
#define TRANSFER_REDIRECTS_MAX     3U
#define TRANSFER_WHY_MAX           192U

typedef struct TransferSpec {
        const char *url;
        unsigned scope_id;   /* of a link-local host; 0: none, or in the url */
        const char *ca_file; /* or NULL */
        uint64_t connect_usec;
        uint64_t timeout_usec;
} TransferSpec;

typedef struct Transfer {
        CURL *easy;
        Secret *body;
        size_t length;
        size_t header_bytes;
        unsigned n_redirects;
        bool too_long;       /* more than TRANSFER_BODY_MAX_BYTES came */
        const char *refused; /* why we broke it off, or NULL */
        char curl_error[CURL_ERROR_SIZE];
} Transfer;

typedef enum TransferNext {
        TRANSFER_DONE,   /* body and length hold the answer */
        TRANSFER_AGAIN,  /* redirected: add it to the multi handle once more, now */
        TRANSFER_RETRY,  /* failed in a way that may pass */
        TRANSFER_FAILED, /* for good */
} TransferNext;

/* error is one of metadata-status.h; both are written for RETRY and FAILED. */
typedef struct TransferVerdict {
        TransferNext next;
        int error;
        char why[TRANSFER_WHY_MAX];
} TransferVerdict;

/* 0, -ENOMEM, or -EINVAL: curl refuses an option. The easy handle is ready to be added. */
_must_check_ int transfer_new(const TransferSpec *spec, Transfer **ret_transfer);
Transfer *transfer_free(Transfer *transfer);

/* After curl said that it is done with it; it is out of the multi handle by then. */
TransferVerdict transfer_judge(Transfer *transfer, CURLcode code);

/* Both URLs are http or https with the same host, port and scheme. */
bool transfer_same_origin(const char *one, const char *other);

static inline void cleanup_transfer(Transfer **transfer) {
        *transfer = transfer_free(*transfer);
}

#define _cleanup_transfer_ _cleanup_(cleanup_transfer)
