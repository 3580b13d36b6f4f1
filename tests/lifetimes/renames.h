/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The compiler puts this in front of each product file: its system calls go to the simulation. The
 * files themselves are the shipped ones. Names that are a struct, too, are renamed only where they are
 * called.
 */

#include "tests/lifetimes/calls.h"
#include "tests/lifetimes/daemon.h"

#define access               sim_access
#define calloc               sim_calloc
#define free                 sim_free
#define malloc               sim_malloc
#define strdup               sim_strdup
#define timerfd_create       sim_timerfd_create
#define timerfd_settime      sim_timerfd_settime
#define open                 sim_open
#define openat               sim_openat
#define close                sim_close
#define read                 sim_read
#define pread                sim_pread
#define write                sim_write
#define lseek                sim_lseek
#define fstat                sim_fstat
#define fstatat              sim_fstatat
#define fstatfs              sim_fstatfs
#define faccessat            sim_faccessat
#define mkdir                sim_mkdir
#define fsync                sim_fsync
#define fchmod               sim_fchmod
#define renameat             sim_renameat
#define unlinkat             sim_unlinkat
#define ioctl                sim_ioctl
#define poll                 sim_poll
#define getrandom            sim_getrandom
#define clock_gettime        sim_clock_gettime
#define nanosleep            sim_nanosleep
#define sigprocmask          sim_sigprocmask
#define setpriority          sim_setpriority
#define waitpid              sim_waitpid
#define geteuid              sim_geteuid
#define signal               sim_signal
#define alarm                sim_alarm
#define prctl                sim_prctl
#define fremovexattr         sim_fremovexattr
#define _exit                sim_child_exit
#define fork()               (setjmp(*sim_child_begin()) == 0 ? 0 : SIM_CHILD_PID)
#define stat(path, status)   sim_stat((path), (status))
#define flock(fd, operation) sim_flock((fd), (operation))
#define signalfd(...)        sim_signalfd(__VA_ARGS__)
