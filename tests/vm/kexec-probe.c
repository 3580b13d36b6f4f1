/* SPDX-License-Identifier: MIT */
/* kexec-probe KERNEL INITRD COMMAND-LINE: starts another kernel from this one, without a firmware in between. */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        int kernel, initrd;

        if (argc != 4) {
                (void)fputs("usage: kexec-probe KERNEL INITRD COMMAND-LINE\n", stderr);
                return 64;
        }
        kernel = open(argv[1], O_RDONLY | O_CLOEXEC);
        initrd = open(argv[2], O_RDONLY | O_CLOEXEC);
        if (kernel < 0 || initrd < 0 ||
            syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1, argv[3], 0UL) < 0) {
                perror("kexec-probe");
                return 1;
        }
        (void)syscall(
                SYS_reboot,
                LINUX_REBOOT_MAGIC1,
                LINUX_REBOOT_MAGIC2,
                LINUX_REBOOT_CMD_KEXEC,
                NULL);
        perror("kexec-probe");
        return 1;
}
