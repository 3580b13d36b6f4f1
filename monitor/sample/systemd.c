/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/parse.h"
#include "lib/kernel/clock.h"
#include "monitor/sample/systemd.h"

#define LIBRARY      "libsystemd.so.0"
#define IS_THERE     "/run/systemd/system"
#define ANSWER_USEC  (5 * USEC_PER_SEC)
#define BETWEEN_NSEC 500000000L

typedef struct BusLibrary {
        __typeof__(&sd_bus_new) new;
        __typeof__(&sd_bus_set_address) set_address;
        __typeof__(&sd_bus_set_method_call_timeout) set_timeout;
        __typeof__(&sd_bus_start) start;
        __typeof__(&sd_bus_get_property_trivial) get_property;
        __typeof__(&sd_bus_close_unref) close_unref;
} BusLibrary;

/* The library is never unloaded: each program calls this once. */
static int load_library(BusLibrary *ret_library) {
        BusLibrary library = {};
        void *handle;

        handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!handle)
                return -ELIBACC;
        /* By POSIX, but not by ISO C, a pointer from dlsym() may be a function's. */
        *(void **)&library.new = dlsym(handle, "sd_bus_new");
        *(void **)&library.set_address = dlsym(handle, "sd_bus_set_address");
        *(void **)&library.set_timeout = dlsym(handle, "sd_bus_set_method_call_timeout");
        *(void **)&library.start = dlsym(handle, "sd_bus_start");
        *(void **)&library.get_property = dlsym(handle, "sd_bus_get_property_trivial");
        *(void **)&library.close_unref = dlsym(handle, "sd_bus_close_unref");
        if (!library.new || !library.set_address || !library.set_timeout || !library.start ||
            !library.get_property || !library.close_unref)
                return -ELIBACC;
        *ret_library = library;
        return 0;
}

/*
 * Uses systemd's private socket, since there may be no bus, and a new connection each time: a
 * lasting one would receive a signal for every job.
 */
static int ask(const BusLibrary *library, uint64_t *ret_usec) {
        uint64_t usec = 0;
        sd_bus *bus = NULL;
        int r;

        r = library->new (&bus);
        if (r >= 0)
                r = library->set_address(bus, "unix:path=/run/systemd/private");
        if (r >= 0)
                r = library->set_timeout(bus, ANSWER_USEC);
        if (r >= 0)
                r = library->start(bus);
        if (r >= 0)
                r = library->get_property(
                        bus,
                        NULL,
                        "/org/freedesktop/systemd1",
                        "org.freedesktop.systemd1.Manager",
                        "FinishTimestampMonotonic",
                        NULL,
                        't',
                        &usec);
        (void)library->close_unref(bus);
        *ret_usec = usec;
        return r < 0 ? r : 0;
}

int systemd_finished_usec(uint64_t wait_usec, uint64_t *ret_usec) {
        const struct timespec between = { .tv_nsec = BETWEEN_NSEC };
        uint64_t usec, until_usec = clock_monotonic_usec() + wait_usec;
        BusLibrary library;
        int r;

        if (access(IS_THERE, F_OK) < 0)
                return negative_errno();
        r = load_library(&library);
        if (r < 0)
                return r;
        for (;;) {
                r = ask(&library, &usec);
                if (r < 0)
                        return r;
                if (usec > 0) {
                        *ret_usec = usec;
                        return 0;
                }
                if (clock_monotonic_usec() >= until_usec)
                        return -EAGAIN;
                (void)nanosleep(&between, NULL);
        }
}
