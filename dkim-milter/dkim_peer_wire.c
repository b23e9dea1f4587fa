#include "dkim-milter/dkim_peer_wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct head {
    uint32_t type, len;
};

static bool send_all(int fd, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        size_t left = (size_t)sent;
        while (message.msg_iovlen > 0 && left >= message.msg_iov->iov_len) {
            left -= message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + left;
            message.msg_iov->iov_len -= left;
        }
    }
    return true;
}

bool dkim_peer_send(int fd, enum dkim_peer_type type, struct am_span content)
{
    struct head head = {(uint32_t)type, (uint32_t)content.len};
    struct iovec parts[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)content.ptr, content.len}};

    return content.len <= DKIM_PEER_FRAME_MAX && send_all(fd, parts, content.len > 0 ? 2 : 1);
}

static bool receive_all(int fd, void *out, size_t len)
{
    char *at = out;

    while (len > 0) {
        ssize_t got = recv(fd, at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

bool dkim_peer_receive(int fd, enum dkim_peer_type *type, struct am_buf *content)
{
    char piece[16384];
    struct head head;

    am_buf_clear(content);
    if (!receive_all(fd, &head, sizeof(head)) || head.len > DKIM_PEER_FRAME_MAX)
        return false;
    *type = (enum dkim_peer_type)head.type;
    while (head.len > 0) {
        size_t len = head.len < sizeof(piece) ? head.len : sizeof(piece);
        if (!receive_all(fd, piece, len))
            return false;
        am_buf_add(content, am_span_of(piece, len));
        head.len -= (uint32_t)len;
    }
    return !content->failed;
}
