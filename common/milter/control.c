#include "common/milter/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256
#define CLIENT_TIME_MS 5000
#define ANSWER_LIMIT ((size_t)1 << 20)

struct client {
    int fd; /* -1 = free */
    int64_t deadline_us;
    char line[LINE_MAX_BYTES];
    size_t line_length;
    struct am_buf answer;
    size_t sent;
    bool answering;
};

struct am_control {
    int fd;
    const struct am_clock *clock;
    am_control_command *command;
    void *user;
    struct client clients[AM_CONTROL_CLIENTS_MAX];
};

struct am_control *am_control_new(int fd, const struct am_clock *clock, am_control_command *command,
                                  void *user)
{
    struct am_control *control = calloc(1, sizeof(*control));
    if (control == NULL)
        return NULL;
    control->fd = fd;
    control->clock = clock;
    control->command = command;
    control->user = user;
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++) {
        control->clients[i].fd = -1;
        am_buf_init(&control->clients[i].answer, ANSWER_LIMIT);
    }
    return control;
}

static void drop(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    am_buf_fini(&client->answer);
}

void am_control_free(struct am_control *control)
{
    if (control == NULL)
        return;
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++)
        drop(&control->clients[i]);
    close(control->fd);
    free(control);
}

static struct client *free_client(struct am_control *control)
{
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd < 0)
            return &control->clients[i];
    return NULL;
}

size_t am_control_poll(const struct am_control *control, struct pollfd fds[AM_CONTROL_POLL_MAX],
                       int *timeout_ms)
{
    size_t count = 0;
    int64_t now_us = am_clock_now_us(control->clock);
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++) {
        const struct client *client = &control->clients[i];
        if (client->fd < 0)
            continue;
        fds[count++] =
            (struct pollfd){.fd = client->fd, .events = client->answering ? POLLOUT : POLLIN};
        int64_t left_ms =
            client->deadline_us > now_us ? (client->deadline_us - now_us) / 1000 + 1 : 0;
        if (*timeout_ms < 0 || left_ms < *timeout_ms)
            *timeout_ms = (int)left_ms;
    }
    if (count < AM_CONTROL_CLIENTS_MAX)
        fds[count++] = (struct pollfd){.fd = control->fd, .events = POLLIN};
    return count;
}

static void take_client(struct am_control *control)
{
    struct client *client = free_client(control);
    if (client == NULL)
        return;
    client->fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    client->deadline_us = am_deadline_in_ms(control->clock, CLIENT_TIME_MS);
    client->line_length = 0;
    client->sent = 0;
    client->answering = false;
}

static void send_answer(struct client *client)
{
    struct am_span text = am_buf_span(&client->answer);
    while (client->sent < text.len) {
        ssize_t sent =
            send(client->fd, text.ptr + client->sent, text.len - client->sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent <= 0)
            break;
        client->sent += (size_t)sent;
    }
    drop(client);
}

static void answer(struct am_control *control, struct client *client, size_t length)
{
    client->line[length] = '\0';
    if (length > 0 && client->line[length - 1] == '\r')
        client->line[length - 1] = '\0';
    client->answering = true;
    control->command(control->user, client->line, &client->answer);
    if (client->answer.failed) {
        am_buf_clear(&client->answer);
        am_buf_add_str(&client->answer, "error: the answer does not fit into memory\n");
    }
    send_answer(client);
}

static void read_line(struct am_control *control, struct client *client)
{
    ssize_t got = recv(client->fd, client->line + client->line_length,
                       sizeof(client->line) - 1 - client->line_length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(client);
        return;
    }
    client->line_length += (size_t)got;
    char *end = memchr(client->line, '\n', client->line_length);
    if (end != NULL)
        answer(control, client, (size_t)(end - client->line));
    else if (client->line_length == sizeof(client->line) - 1)
        drop(client);
}

static void serve_client(struct am_control *control, int fd, short events)
{
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];
        if (client->fd != fd || events == 0)
            continue;
        if (client->answering)
            send_answer(client);
        else
            read_line(control, client);
        return;
    }
}

void am_control_serve(struct am_control *control, const struct pollfd *fds, size_t count)
{
    bool waiting = false;
    for (size_t i = 0; i < count; i++) {
        if (fds[i].fd == control->fd)
            waiting = fds[i].revents != 0;
        else
            serve_client(control, fds[i].fd, fds[i].revents);
    }
    /* New clients last: theirs may be a number that was polled for a client gone by now. */
    if (waiting)
        take_client(control);
    int64_t now_us = am_clock_now_us(control->clock);
    for (size_t i = 0; i < AM_CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd >= 0 && control->clients[i].deadline_us <= now_us)
            drop(&control->clients[i]);
}
