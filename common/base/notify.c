#include "common/base/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static bool manager_address(struct sockaddr_un *address, socklen_t *length)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t size = path == NULL ? 0 : strlen(path);
    if (size < 2 || size >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
        return false;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, size);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    /* An abstract name ends with its length, a path with a NUL. */
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (path[0] == '/'));
    return true;
}

bool am_notify(const char *format, ...)
{
    struct sockaddr_un address;
    socklen_t address_length;
    if (!manager_address(&address, &address_length))
        return false;

    char text[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(text))
        return false;

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool sent = sendto(fd, text, (size_t)length, MSG_NOSIGNAL, (struct sockaddr *)&address,
                       address_length) == length;
    close(fd);
    return sent;
}

void am_notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    am_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading",
              (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

int64_t am_notify_watchdog_ms(void)
{
    const char *period = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (period == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    long long us = strtoll(period, NULL, 10);
    if (us <= 0)
        return 0;
    return us < 2000 ? 1 : us / 2000;
}
