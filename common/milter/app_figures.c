#include <stdio.h>
#include <string.h>

#include "common/milter/app_server.h"
#include "common/milter/figures.h"

char *am_server_render_metrics(void *user, size_t *length)
{
    struct am_server *server = user;
    struct am_buf page;
    am_buf_init(&page, (size_t)1 << 20);
    am_figures_metrics(server->holder, server->counters, &page);
    if (page.failed || page.data == NULL) {
        am_buf_fini(&page);
        return NULL;
    }
    *length = page.len;
    return page.data; /* goes to the HTTP part, which frees it */
}

bool am_server_is_healthy(void *user)
{
    return atomic_load(&((struct am_server *)user)->healthy);
}

static void control_reload(struct am_server *server, struct am_buf *out)
{
    struct am_problem problem = {{0}};
    if (server->draining)
        am_buf_add_str(out, "error: the program is stopping\n");
    else if (am_reload_run(&server->reload, AM_RELOAD_ALL, &problem))
        am_buf_add_str(out, "ok\n");
    else
        am_buf_printf(out, "error: %s\n", problem.text);
}

/* why QUEUE-ID: the lines of that message, oldest first. */
static void control_why(struct am_server *server, const char *id, struct am_buf *out)
{
    char pair[256];

    if (server->recent == NULL)
        am_buf_add_str(out, "error: no lines are kept (milter.recent_bytes)\n");
    else if (*id == '\0' || strpbrk(id, " =\"\\") != NULL ||
             snprintf(pair, sizeof(pair), "queue_id=%s", id) >= (int)sizeof(pair))
        am_buf_add_str(out, "error: why QUEUE-ID\n");
    else
        am_recent_find(server->recent, pair, out);
}

/* top METHOD RESULT LINES; "-" for any. */
static void control_top(struct am_server *server, const char *words, struct am_buf *out)
{
    char method[17] = "-", result[17] = "-";
    unsigned most = 20;

    if (server->top == NULL) {
        am_buf_add_str(out, "error: no domains are counted (milter.top_entries)\n");
        return;
    }
    (void)sscanf(words, "%16s %16s %5u", method, result, &most);
    if (!am_top_print(server->top, strcmp(method, "-") == 0 ? NULL : method,
                      strcmp(result, "-") == 0 ? NULL : result, most, out))
        am_buf_add_str(out, "error: out of memory\n");
}

void am_server_command(void *user, const char *line, struct am_buf *out)
{
    struct am_server *server = user;
    if (strcmp(line, "stats") == 0)
        am_figures_stats(server->holder, server->counters, out);
    else if (strcmp(line, "metrics") == 0)
        am_figures_metrics(server->holder, server->counters, out);
    else if (strcmp(line, "reload") == 0)
        control_reload(server, out);
    else if (strncmp(line, "why ", 4) == 0)
        control_why(server, line + 4, out);
    else if (strcmp(line, "top") == 0 || strncmp(line, "top ", 4) == 0)
        control_top(server, line + 3, out);
    else if (strcmp(line, "health") == 0)
        am_buf_add_str(out, am_server_is_healthy(server) ? "ok\n" : "stopping\n");
    else if (strcmp(line, "version") == 0)
        am_buf_printf(out, "%s %s\n", server->app->program, AM_VERSION);
    else
        am_buf_add_str(
            out, "error: commands are stats, metrics, top, why, reload, health and version\n");
}
