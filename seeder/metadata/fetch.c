/* SPDX-License-Identifier: MIT */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/kernel/random.h"
#include "lib/sources/metadata-status.h"
#include "seeder/metadata/decode.h"
#include "seeder/metadata/fetch.h"
#include "seeder/metadata/route.h"
#include "seeder/metadata/transfer.h"

/* doc/source/user/metadata.rst of nova; IPv6 since 22.0.0 */
#define OPENSTACK_PATH "/openstack/latest/meta_data.json"
#define OPENSTACK_IPV4 "169.254.169.254"
#define OPENSTACK_IPV6 "fe80::a9fe:a9fe"

#define TARGETS_MAX      8U
#define STAGGER_USEC     UINT64_C(150000)
#define BACKOFF_MIN_USEC UINT64_C(100000)
#define BACKOFF_MAX_USEC UINT64_C(1600000)
#define TLS_LOOK_USEC    UINT64_C(50000)
#define WEIGHT_FINAL     3U

typedef enum TargetState {
        TARGET_BLOCKED, /* no route to it, or no random bytes for TLS */
        TARGET_DUE,     /* starts at start_usec */
        TARGET_RUNNING,
        TARGET_FAILED,
} TargetState;

typedef struct Target {
        char url[METADATA_URL_MAX];
        unsigned scope_id; /* the interface; 0: the routing table decides */
        RouteAddress address;
        bool tls;
        TargetState state;
        uint64_t start_usec;
        uint64_t backoff_usec;
        Transfer *transfer;
        int error; /* the last one; 0: none yet */
        char why[TRANSFER_WHY_MAX];
} Target;

typedef struct Fetch {
        const Options *options;
        CURLM *multi;
        int route_fd;
        uint64_t route_until_usec;
        uint64_t deadline_usec; /* UINT64_MAX until something was started */
        Target targets[TARGETS_MAX];
        size_t n_targets;
        Secret *buffer;
        size_t length; /* of the seed; 0: none yet */
} Fetch;

static void cleanup_fetch(Fetch **fetch_pointer) {
        Fetch *fetch = *fetch_pointer;

        if (!fetch)
                return;

        for (size_t i = 0; i < fetch->n_targets; i++) {
                Target *target = &fetch->targets[i];

                if (target->transfer)
                        (void)curl_multi_remove_handle(fetch->multi, target->transfer->easy);
                target->transfer = transfer_free(target->transfer);
        }
        if (fetch->multi)
                (void)curl_multi_cleanup(fetch->multi);
        cleanup_close(&fetch->route_fd);
        free(fetch);
}

/* ---- Targets ---- */

static Target *add_target(Fetch *fetch) {
        Target *target = &fetch->targets[fetch->n_targets];

        if (fetch->n_targets == TARGETS_MAX)
                return NULL;
        fetch->n_targets++;
        *target = (Target){ .backoff_usec = BACKOFF_MIN_USEC };
        return target;
}

static void add_uplink(unsigned ifindex, void *userdata) {
        Fetch *fetch = userdata;
        Target *target;

        for (size_t i = 0; i < fetch->n_targets; i++)
                if (fetch->targets[i].scope_id == ifindex)
                        return;

        target = add_target(fetch);
        if (!target)
                return;
        target->scope_id = ifindex;
        (void)snprintf(
                target->url,
                sizeof(target->url),
                "http://[" OPENSTACK_IPV6 "]" OPENSTACK_PATH);
        if (route_parse_address(OPENSTACK_IPV6, ifindex, &target->address) < 0)
                fetch->n_targets--;
}

static int add_openstack(Fetch *fetch) {
        Target *target = add_target(fetch);

        (void)snprintf(target->url, sizeof(target->url), "http://" OPENSTACK_IPV4 OPENSTACK_PATH);
        return route_parse_address(OPENSTACK_IPV4, 0, &target->address);
}

/* The interface of a zone in a URL, which is its name or its number. */
static unsigned zone_to_index(CURLU *parsed) {
        char *zone = NULL;
        unsigned index = 0;

        if (curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK) {
                index = if_nametoindex(zone);
                if (index == 0)
                        index = (unsigned)strtoul(zone, NULL, 10);
        }
        curl_free(zone);
        return index;
}

static int add_url(Fetch *fetch, const char *url) {
        Target *target = add_target(fetch);
        CURLU *parsed = curl_url();
        char *host = NULL;
        int r = METADATA_E_USAGE;

        if (!parsed)
                return -ENOMEM;
        if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
            curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
                char *end = strchr(host, ']');

                if (end)
                        *end = '\0';
                (void)snprintf(target->url, sizeof(target->url), "%s", url);
                target->tls = strncmp(url, "https:", 6) == 0;
                target->scope_id = zone_to_index(parsed);
                if (route_parse_address(host + (*host == '['), target->scope_id, &target->address) <
                    0)
                        target->address.length = 0; /* a name */
                r = 0;
        }
        curl_free(host);
        curl_url_cleanup(parsed);
        return r;
}

/* ---- What a target waits for ---- */

static bool may_start(const Target *target, bool route_is_over) {
        /*
         * TLS begins with random bytes of its own, and its libraries wait in getrandom() for them: that
         * would start the kernel's own, slow way to them, and could not be broken off.
         */
        if (target->tls && random_getrandom_works() == 0)
                return false;
        if (target->address.length > 0)
                return route_exists(&target->address);
        return route_is_over || route_exists_default();
}

static void unblock_targets(Fetch *fetch, uint64_t now_usec) {
        bool any_v6 = false;

        if (!fetch->options->url)
                route_for_each_uplink(add_uplink, fetch);

        for (size_t i = 0; i < fetch->n_targets; i++) {
                Target *target = &fetch->targets[i];

                if (target->state != TARGET_BLOCKED ||
                    !may_start(target, now_usec >= fetch->route_until_usec))
                        continue;
                target->state = TARGET_DUE;
                target->start_usec = now_usec;
                any_v6 |= !fetch->options->url && target->scope_id > 0;
        }

        /* OpenStack's first is IPv4: it lets those go ahead that just became possible. */
        if (any_v6 && fetch->targets[0].state == TARGET_DUE && !fetch->targets[0].error)
                fetch->targets[0].start_usec = now_usec + STAGGER_USEC;
        for (size_t i = 0; i < fetch->n_targets; i++)
                if (fetch->targets[i].state == TARGET_DUE && fetch->deadline_usec == UINT64_MAX)
                        fetch->deadline_usec = now_usec + fetch->options->timeout_usec;
}

/* ---- The course of a target ---- */

static void fail_target(Target *target, int error, const char *why) {
        target->transfer = transfer_free(target->transfer);
        target->state = TARGET_FAILED;
        target->error = error;
        (void)snprintf(target->why, sizeof(target->why), "%s", why);
}

static void start_target(Fetch *fetch, Target *target, uint64_t now_usec) {
        const TransferSpec spec = {
                .url = target->url,
                .scope_id = target->scope_id,
                .ca_file = fetch->options->ca_file,
                .connect_usec = fetch->options->connect_usec,
                .timeout_usec = fetch->deadline_usec - now_usec,
        };

        if (transfer_new(&spec, &target->transfer) < 0 ||
            curl_multi_add_handle(fetch->multi, target->transfer->easy) != CURLM_OK) {
                fail_target(target, METADATA_E_SYSTEM, "libcurl cannot start");
                return;
        }
        target->state = TARGET_RUNNING;
}

/* One has failed: no reason to hold back those that were to start a little later. */
static void hurry_others(Fetch *fetch, uint64_t now_usec) {
        for (size_t i = 0; i < fetch->n_targets; i++) {
                Target *target = &fetch->targets[i];

                if (target->state == TARGET_DUE && !target->error)
                        target->start_usec = now_usec;
        }
}

static void retry_target(Fetch *fetch, Target *target, uint64_t now_usec) {
        target->state = TARGET_DUE;
        target->start_usec = now_usec + target->backoff_usec;
        target->backoff_usec = MIN(2 * target->backoff_usec, BACKOFF_MAX_USEC);
        if (target->start_usec >= fetch->deadline_usec)
                target->state = TARGET_FAILED;
}

static void take_answer(Fetch *fetch, Target *target) {
        const Transfer *transfer = target->transfer;
        const char *why = NULL;
        size_t length;
        int r;

        r = decode_seed(
                &fetch->options->format,
                transfer->body->bytes,
                transfer->length,
                fetch->buffer->bytes,
                &length,
                &why);
        if (r != 0) {
                fail_target(target, r, why);
                return;
        }
        fetch->length = length;
}

static void end_transfer(Fetch *fetch, Target *target, CURLcode code, uint64_t now_usec) {
        TransferVerdict verdict;

        (void)curl_multi_remove_handle(fetch->multi, target->transfer->easy);
        verdict = transfer_judge(target->transfer, code);

        switch (verdict.next) {
        case TRANSFER_DONE:
                take_answer(fetch, target);
                break;
        case TRANSFER_AGAIN:
                if (curl_multi_add_handle(fetch->multi, target->transfer->easy) != CURLM_OK)
                        fail_target(target, METADATA_E_SYSTEM, "libcurl cannot start");
                return;
        case TRANSFER_RETRY:
                fail_target(target, verdict.error, verdict.why);
                retry_target(fetch, target, now_usec);
                break;
        case TRANSFER_FAILED:
        default:
                fail_target(target, verdict.error, verdict.why);
                break;
        }
        if (fetch->length == 0)
                hurry_others(fetch, now_usec);
}

static void take_messages(Fetch *fetch, uint64_t now_usec) {
        const CURLMsg *message;
        int n_left;

        while (fetch->length == 0 && (message = curl_multi_info_read(fetch->multi, &n_left))) {
                CURL *easy = message->easy_handle;
                CURLcode code = message->data.result;

                if (message->msg != CURLMSG_DONE)
                        continue;
                for (size_t i = 0; i < fetch->n_targets; i++) {
                        Target *target = &fetch->targets[i];

                        if (target->transfer && target->transfer->easy == easy) {
                                end_transfer(fetch, target, code, now_usec);
                                break;
                        }
                }
        }
}

/* ---- The loop ---- */

/* What a server said tells more than that another one did not answer. */
static unsigned weight_of(int error) {
        return error == METADATA_E_UNREACHABLE ? 1 : error == METADATA_E_BUSY ? 2 : WEIGHT_FINAL;
}

/* The first target gave an answer that will not change: the others are the same service. */
static bool is_settled(const Fetch *fetch) {
        const Target *target = &fetch->targets[0];

        return target->state == TARGET_FAILED && weight_of(target->error) == WEIGHT_FINAL;
}

/* When to look again if nothing happens; 0: there is nothing to wait for any more. */
static uint64_t next_usec(const Fetch *fetch, uint64_t now_usec) {
        uint64_t next = fetch->deadline_usec;
        bool alive = false;

        for (size_t i = 0; i < fetch->n_targets; i++) {
                const Target *target = &fetch->targets[i];

                if (target->state == TARGET_RUNNING)
                        alive = true;
                if (target->state == TARGET_DUE) {
                        alive = true;
                        next = MIN(next, target->start_usec);
                }
                if (target->state == TARGET_BLOCKED && !is_settled(fetch) &&
                    now_usec < fetch->route_until_usec) {
                        alive = true;
                        next = MIN(next, fetch->route_until_usec);
                        if (target->tls) /* nothing tells on every kernel that it is ready */
                                next = MIN(next, now_usec + TLS_LOOK_USEC);
                }
        }
        return alive && now_usec < fetch->deadline_usec ? next : 0;
}

static int wait_for_events(Fetch *fetch, uint64_t delay_usec) {
        struct curl_waitfd route = { .fd = fetch->route_fd, .events = CURL_WAIT_POLLIN };
        int n;

        if (curl_multi_poll(
                    fetch->multi,
                    &route,
                    1,
                    (int)MIN(delay_usec / 1000 + 1, UINT64_C(3600000)),
                    &n) != CURLM_OK)
                return -EIO;
        if (route.revents)
                route_drain(fetch->route_fd);
        return 0;
}

static int run(Fetch *fetch) {
        for (;;) {
                uint64_t now_usec = clock_monotonic_usec(), next;
                int n_running, r;

                unblock_targets(fetch, now_usec);
                for (size_t i = 0; i < fetch->n_targets; i++)
                        if (fetch->targets[i].state == TARGET_DUE &&
                            fetch->targets[i].start_usec <= now_usec &&
                            now_usec < fetch->deadline_usec)
                                start_target(fetch, &fetch->targets[i], now_usec);

                if (curl_multi_perform(fetch->multi, &n_running) != CURLM_OK)
                        return -EIO;
                now_usec = clock_monotonic_usec();
                take_messages(fetch, now_usec);
                if (fetch->length > 0)
                        return 0;

                next = next_usec(fetch, now_usec);
                if (next == 0)
                        return 0;
                r = wait_for_events(fetch, next > now_usec ? next - now_usec : 0);
                if (r < 0)
                        return r;
        }
}

/* ---- Why there is no seed ---- */

static int report(const Fetch *fetch, char why[static FETCH_WHY_MAX]) {
        const Target *worst = NULL, *blocked = NULL, *silent = NULL;

        for (size_t i = fetch->n_targets; i-- > 0;) {
                const Target *target = &fetch->targets[i];

                if (target->error &&
                    (!worst || weight_of(target->error) >= weight_of(worst->error)))
                        worst = target;
                if (target->state == TARGET_BLOCKED)
                        blocked = target;
                if (target->state == TARGET_RUNNING)
                        silent = target;
        }

        if (silent && (!worst || (worst > silent && worst->error == METADATA_E_UNREACHABLE))) {
                (void)snprintf(why, FETCH_WHY_MAX, "%s: no answer in time", silent->url);
                return METADATA_E_UNREACHABLE;
        }
        if (worst) {
                (void)snprintf(why, FETCH_WHY_MAX, "%s: %s", worst->url, worst->why);
                return worst->error;
        }
        if (blocked && blocked->tls && random_getrandom_works() == 0) {
                (void)snprintf(
                        why,
                        FETCH_WHY_MAX,
                        "%s: TLS needs the kernel's RNG, which is not ready",
                        blocked->url);
                return METADATA_E_BUSY;
        }
        (void)snprintf(
                why,
                FETCH_WHY_MAX,
                "%s: no route",
                blocked ? blocked->url : fetch->targets[0].url);
        return METADATA_E_UNREACHABLE;
}

static int prepare(Fetch *fetch) {
        int r;

        /* Before the first look at the routes: what changes after it is told. */
        r = route_watch(&fetch->route_fd);
        if (r < 0)
                return r;
        fetch->multi = curl_multi_init();
        if (!fetch->multi)
                return -ENOMEM;
        return fetch->options->url ? add_url(fetch, fetch->options->url) : add_openstack(fetch);
}

int fetch_seed(
        const Options *options,
        Secret *buffer,
        size_t *ret_length,
        char ret_why[static FETCH_WHY_MAX]) {
        _cleanup_(cleanup_fetch) Fetch *fetch = NULL;
        int r;

        fetch = calloc(1, sizeof(*fetch));
        if (!fetch)
                return -ENOMEM;
        fetch->options = options;
        fetch->route_fd = -1;
        fetch->route_until_usec = clock_monotonic_usec() + options->wait_route_usec;
        fetch->deadline_usec = UINT64_MAX;
        fetch->buffer = buffer;

        r = prepare(fetch);
        if (r == METADATA_E_USAGE)
                (void)snprintf(ret_why, FETCH_WHY_MAX, "%s: no such URL", options->url);
        if (r != 0)
                return r;
        r = run(fetch);
        if (r < 0)
                return r;
        if (fetch->length == 0)
                return report(fetch, ret_why);

        *ret_length = fetch->length;
        return 0;
}
