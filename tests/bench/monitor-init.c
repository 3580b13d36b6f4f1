/* SPDX-License-Identifier: MIT */
/*
 * How long the monitor keeps a boot from its init.
 *
 *     monitor-init launch ROOT PROGRAM
 *
 * runs ROOT's PROGRAM as the first process of a pid namespace with the time as its argument, and
 * this program again, as ROOT's init, prints how many microseconds after that it was there. Linked
 * statically, so that the root needs nothing else.
 *
 *     monitor-init floor SECONDS
 *
 * does nothing but sleep for a millisecond, again and again, and prints the share of a core that
 * this takes: no sampler at 1 kHz can take less on this machine.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_nsec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int launch(const char *root, char *program) {
        char text[32];
        char *argv[] = { program, text, NULL };
        int status = 0;
        pid_t pid;

        if (unshare(CLONE_NEWPID) < 0)
                return 1;
        pid = fork();
        if (pid == 0) {
                if (chroot(root) < 0 || chdir("/") < 0)
                        _exit(1);
                (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)now_nsec());
                (void)execv(program, argv);
                _exit(1);
        }
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

static int floor_of_a_sleeper(uint64_t seconds) {
        const struct timespec pause = { .tv_nsec = 1000000 };
        uint64_t start = now_nsec(), end;
        struct timespec used;

        (void)prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
        do {
                (void)nanosleep(&pause, NULL);
                end = now_nsec();
        } while (end - start < seconds * 1000000000);
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        (void)printf(
                "%.5f\n",
                ((double)used.tv_sec * 1e9 + (double)used.tv_nsec) / (double)(end - start));
        return 0;
}

int main(int argc, char *argv[]) {
        uint64_t now = now_nsec();

        if (argc == 4 && strcmp(argv[1], "launch") == 0)
                return launch(argv[2], argv[3]);
        if (argc == 3 && strcmp(argv[1], "floor") == 0)
                return floor_of_a_sleeper(strtoull(argv[2], NULL, 10));
        if (argc != 2)
                return 1;
        (void)printf("%.1f\n", (double)(now - strtoull(argv[1], NULL, 10)) / 1e3);
        return fflush(stdout) == 0 ? 0 : 1;
}
