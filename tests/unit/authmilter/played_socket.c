#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * A control socket that is played: answers one question after the other with its arguments, then
 * ends. Gives up after 60 seconds without a question.
 *
 *     played-socket PATH ANSWER...
 */

#define WAIT_MS 60000

static int serve(int fd, const char *answer)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    char line[256];

    if (poll(&waiting, 1, WAIT_MS) != 1)
        return 1;
    int client = accept(fd, NULL, NULL);
    if (client < 0)
        return 1;
    waiting.fd = client;
    ssize_t got = poll(&waiting, 1, WAIT_MS) == 1 ? recv(client, line, sizeof(line), 0) : -1;
    size_t len = strlen(answer);
    int status = got > 0 && send(client, answer, len, MSG_NOSIGNAL) == (ssize_t)len &&
                         send(client, "\n", 1, MSG_NOSIGNAL) == 1
                     ? 0
                     : 1;
    /* What is not read yet would reset the connection, and the answer with it. */
    shutdown(client, SHUT_WR);
    while (got > 0 && poll(&waiting, 1, WAIT_MS) == 1)
        got = recv(client, line, sizeof(line), 0);
    close(client);
    return status;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int status = 0;

    if (argc < 3 || strlen(argv[1]) >= sizeof(address.sun_path))
        return 64;
    strcpy(address.sun_path, argv[1]);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4) != 0)
        return 1;
    for (int i = 2; i < argc && status == 0; i++)
        status = serve(fd, argv[i]);
    close(fd);
    return status;
}
