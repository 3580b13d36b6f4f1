/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/sources/metadata-status.h"
#include "lib/sources/seed.h"
#include "seeder/metadata/transfer.h"

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Transfer *transfer = userdata;
        size_t length = size * n;

        if (length > transfer->body->size_bytes - transfer->length) {
                transfer->too_long = true;
                return 0;
        }
        memcpy(transfer->body->bytes + transfer->length, data, length);
        transfer->length += length;
        return length;
}

static bool is_header(const char *line, size_t length, const char *name) {
        size_t n = strlen(name);

        return length > n && line[n] == ':' && strncasecmp(line, name, n) == 0;
}

static bool has_value(const char *line, size_t length, const char *value) {
        const char *colon = memchr(line, ':', length);
        size_t n = strlen(value), left;

        for (colon++; colon < line + length && (*colon == ' ' || *colon == '\t');)
                colon++;
        left = (size_t)(line + length - colon);
        while (left > 0 && strchr(" \t\r\n", colon[left - 1]))
                left--;
        return left == n && strncasecmp(colon, value, n) == 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *userdata) {
        Transfer *transfer = userdata;
        size_t length = size * n;

        /* All of them together, also those of any number of "100 Continue". */
        transfer->header_bytes += length;
        if (transfer->header_bytes > TRANSFER_HEADERS_MAX_BYTES) {
                transfer->refused = "the headers are longer than 32 KiB";
                return 0;
        }

        /* Nobody asked for compression. curl would unpack a Transfer-Encoding all the same. */
        if ((is_header(line, length, "content-encoding") && !has_value(line, length, "identity")) ||
            (is_header(line, length, "transfer-encoding") && !has_value(line, length, "chunked"))) {
                transfer->refused = "the answer is compressed, which it was not asked to be";
                return 0;
        }
        return length;
}

/* What every transfer has alike. */
static bool set_numbers(CURL *easy, const TransferSpec *spec) {
        const struct {
                CURLoption option;
                long value;
        } numbers[] = {
                { CURLOPT_NOSIGNAL, 1 },
                { CURLOPT_CONNECTTIMEOUT_MS, (long)(spec->connect_usec / 1000) },
                { CURLOPT_TIMEOUT_MS, (long)MAX(spec->timeout_usec / 1000, UINT64_C(1)) },
                { CURLOPT_MAXFILESIZE, TRANSFER_BODY_MAX_BYTES },
                { CURLOPT_FORBID_REUSE, 1 },
                { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
                { CURLOPT_FOLLOWLOCATION, 0 }, /* by us, after a look at where to */
                { CURLOPT_SSL_VERIFYPEER, 1 },
                { CURLOPT_SSL_VERIFYHOST, 2 },
                { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
                { CURLOPT_ADDRESS_SCOPE, (long)spec->scope_id },
#if LIBCURL_VERSION_NUM >= 0x075700 /* 7.87: no wait for a thread in getaddrinfo() */
                { CURLOPT_QUICK_EXIT, 1 },
#else
                { CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS },
#endif
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (curl_easy_setopt(easy, numbers[i].option, numbers[i].value) != CURLE_OK)
                        return false;
        return true;
}

static bool set_texts(CURL *easy, const TransferSpec *spec) {
        const struct {
                CURLoption option;
                const char *value;
        } texts[] = {
                { CURLOPT_URL, spec->url },
                { CURLOPT_PROXY, "" }, /* none, whatever the environment says */
                { CURLOPT_USERAGENT, "guest-entropy/" PACKAGE_VERSION },
#if LIBCURL_VERSION_NUM >= 0x075700
                { CURLOPT_PROTOCOLS_STR, "http,https" },
#endif
                { CURLOPT_CAINFO, spec->ca_file },
                /* The directory of the machine's own certificates would be looked at, too. */
                { CURLOPT_CAPATH, NULL },
        };
        const size_t n = ELEMENTSOF(texts) - (spec->ca_file ? 0 : 2);

        for (size_t i = 0; i < n; i++)
                if (curl_easy_setopt(easy, texts[i].option, texts[i].value) != CURLE_OK)
                        return false;
        return true;
}

static bool set_callbacks(Transfer *transfer) {
        CURL *easy = transfer->easy;

        return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_error) == CURLE_OK;
}

int transfer_new(const TransferSpec *spec, Transfer **ret_transfer) {
        _cleanup_transfer_ Transfer *transfer = NULL;
        int r;

        transfer = calloc(1, sizeof(*transfer));
        if (!transfer)
                return -ENOMEM;
        r = secret_new(TRANSFER_BODY_MAX_BYTES, &transfer->body);
        if (r < 0)
                return r;
        transfer->easy = curl_easy_init();
        if (!transfer->easy)
                return -ENOMEM;

        if (!set_numbers(transfer->easy, spec) || !set_texts(transfer->easy, spec) ||
            !set_callbacks(transfer))
                return -EINVAL;

        *ret_transfer = TAKE_PTR(transfer);
        return 0;
}

Transfer *transfer_free(Transfer *transfer) {
        if (!transfer)
                return NULL;

        if (transfer->easy)
                curl_easy_cleanup(transfer->easy);
        transfer->body = secret_free(transfer->body);
        free(transfer);
        return NULL;
}

/* status: of HTTP, or 0 if it does not matter. */
static TransferVerdict verdict(TransferNext next, int error, long status, const char *why) {
        TransferVerdict result = { .next = next, .error = error };

        if (status == 0)
                (void)snprintf(
                        result.why,
                        sizeof(result.why),
                        "%.*s",
                        (int)sizeof(result.why) - 1,
                        why ? why : "");
        else
                (void)snprintf(
                        result.why,
                        sizeof(result.why),
                        "HTTP %ld%s%s",
                        status,
                        why ? ": " : "",
                        why ? why : "");

        /* Parts of it may come from a server and go to a terminal. */
        text_make_plain(result.why);
        return result;
}

static bool same_part(CURLU *one, CURLU *other, CURLUPart part) {
        char *a = NULL, *b = NULL;
        bool same;

        same = curl_url_get(one, part, &a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
               curl_url_get(other, part, &b, CURLU_DEFAULT_PORT) == CURLUE_OK &&
               strcasecmp(a, b) == 0;
        curl_free(a);
        curl_free(b);
        return same;
}

static void cleanup_url(CURLU **url) {
        curl_url_cleanup(*url);
}

bool transfer_same_origin(const char *one, const char *other) {
        _cleanup_(cleanup_url) CURLU *a = curl_url(), *b = curl_url();

        return a && b && curl_url_set(a, CURLUPART_URL, one, 0) == CURLUE_OK &&
               curl_url_set(b, CURLUPART_URL, other, CURLU_DISALLOW_USER) == CURLUE_OK &&
               same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_HOST) &&
               same_part(a, b, CURLUPART_PORT);
}

static TransferVerdict judge_redirect(Transfer *transfer, long status) {
        char *from = NULL, *to = NULL;

        if (curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to ||
            curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &from) != CURLE_OK || !from)
                return verdict(TRANSFER_FAILED, METADATA_E_PROTOCOL, status, NULL);
        if (!transfer_same_origin(from, to))
                return verdict(
                        TRANSFER_FAILED,
                        METADATA_E_PROTOCOL,
                        status,
                        "redirected to another host, port or scheme");
        if (++transfer->n_redirects > TRANSFER_REDIRECTS_MAX)
                return verdict(
                        TRANSFER_FAILED,
                        METADATA_E_PROTOCOL,
                        status,
                        "redirected too often");

        transfer->length = 0;
        transfer->header_bytes = 0;
        if (curl_easy_setopt(transfer->easy, CURLOPT_URL, to) != CURLE_OK)
                return verdict(TRANSFER_FAILED, METADATA_E_SYSTEM, 0, "no memory");
        return (TransferVerdict){ .next = TRANSFER_AGAIN };
}

static TransferVerdict judge_status(Transfer *transfer) {
        long status = 0;

        (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status == 200)
                return (TransferVerdict){ .next = TRANSFER_DONE };
        if (status >= 300 && status < 400)
                return judge_redirect(transfer, status);
        if (status == 408 || status == 429 || status >= 500)
                return verdict(TRANSFER_RETRY, METADATA_E_BUSY, status, NULL);
        return verdict(TRANSFER_FAILED, METADATA_E_NOT_THERE, status, NULL);
}

static TransferVerdict judge_failure(const Transfer *transfer, CURLcode code) {
        const char *text = *transfer->curl_error ? transfer->curl_error : curl_easy_strerror(code);

        if (transfer->refused)
                return verdict(TRANSFER_FAILED, METADATA_E_PROTOCOL, 0, transfer->refused);

        if (transfer->too_long || code == CURLE_FILESIZE_EXCEEDED)
                return verdict(
                        TRANSFER_FAILED,
                        METADATA_E_TOO_LONG,
                        0,
                        seed_error_to_string(SEED_E_TOO_LONG));
        /* As a number: curl has a hundred of them, and -Wswitch-enum wants each. */
        switch ((int)code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_AGAIN:
                return verdict(TRANSFER_RETRY, METADATA_E_UNREACHABLE, 0, text);
        case CURLE_OUT_OF_MEMORY:
                /* What curl says to a line of headers over 100 KiB, before we see it. */
                return verdict(
                        TRANSFER_FAILED,
                        METADATA_E_PROTOCOL,
                        0,
                        "a header is too long, or there is no memory");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_ISSUER_ERROR:
                return verdict(TRANSFER_FAILED, METADATA_E_CERTIFICATE, 0, text);
        case CURLE_SSL_CACERT_BADFILE:
                return verdict(TRANSFER_FAILED, METADATA_E_CA_FILE, 0, text);
        case CURLE_URL_MALFORMAT:
                return verdict(TRANSFER_FAILED, METADATA_E_USAGE, 0, text);
        default:
                /* CURLE_UNSUPPORTED_PROTOCOL (an answer that is no HTTP)... */
                return verdict(TRANSFER_FAILED, METADATA_E_PROTOCOL, 0, text);
        }
}

TransferVerdict transfer_judge(Transfer *transfer, CURLcode code) {
        return code == CURLE_OK ? judge_status(transfer) : judge_failure(transfer, code);
}
