#include "common/milter/metrics.h"

#include <dlfcn.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/ip.h"

/*
 * The shared object lies in a folder of its own beside libauthmilter. From the program the way
 * there is equal in the build tree and installed, but for foreign programs, which stand anywhere.
 */
#define FROM_LIBRARY "authmilter/libauthmilter-metrics.so"
#define FROM_PROGRAM "../" AM_LIBDIR "/" FROM_LIBRARY

struct am_metrics {
    void *library;
    const struct am_metrics_module *module;
    void *server;
};

static bool parse_port(struct am_span text, uint16_t *port)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.len && i < 6; i++) {
        if (!am_is_digit((unsigned char)text.ptr[i]))
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *port = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

static bool parse_address(struct am_metrics_address *address, const char *text,
                          struct am_problem *problem)
{
    struct am_ip ip;
    struct am_span whole = am_span_str(text);
    size_t colon = am_span_find_last(whole, ':');
    struct am_span host = am_span_of(whole.ptr, colon);
    if (colon == whole.len ||
        !parse_port(am_span_of(text + colon + 1, whole.len - colon - 1), &address->port))
        return am_problem_set(problem, "\"%s\" is no address:port, as in 127.0.0.1:9100", text);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = am_span_of(host.ptr + 1, host.len - 2);
    if (!am_ip_parse(&ip, host))
        return am_problem_set(problem, "\"%.*s\" is no IP address; write 127.0.0.1:%u or [::1]:%u",
                              (int)host.len, host.ptr, address->port, address->port);
    if (!am_ip_is_loopback(&ip))
        return am_problem_set(problem,
                              "\"%s\" is not on the loopback interface: the figures have no access "
                              "control, so only 127.0.0.1:%u or [::1]:%u is possible; let a proxy "
                              "publish them",
                              text, address->port, address->port);
    address->family = ip.family == 4 ? AF_INET : AF_INET6;
    memcpy(address->bytes, ip.bytes, sizeof(address->bytes));
    return true;
}

bool am_metrics_check_option(const char *text, struct am_problem *problem)
{
    struct am_metrics_address address;
    return text[0] == '\0' || parse_address(&address, text, problem);
}

/* Opens what lies at `way` from the directory of `file`, of which only an absolute path counts. */
static void *open_from(const char *file, const char *way)
{
    const char *slash = strrchr(file, '/');
    char path[PATH_MAX + sizeof(FROM_PROGRAM)];

    if (file[0] != '/' || strlen(file) >= PATH_MAX)
        return NULL;
    snprintf(path, sizeof(path), "%.*s%s", (int)(slash + 1 - file), file, way);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static bool load(struct am_metrics *metrics, struct am_problem *problem)
{
    static const char here;
    char program[PATH_MAX];
    Dl_info library;
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length <= 0)
        return am_problem_set(problem, "milter.metrics_listen: cannot find the program's own path");
    program[length] = '\0';

    if (dladdr(&here, &library) != 0 && library.dli_fname != NULL)
        metrics->library = open_from(library.dli_fname, FROM_LIBRARY);
    if (metrics->library == NULL)
        metrics->library = open_from(program, FROM_PROGRAM);
    if (metrics->library == NULL)
        return am_problem_set(problem, "milter.metrics_listen: cannot load the HTTP part: %s",
                              dlerror());
    metrics->module = dlsym(metrics->library, "am_metrics_http");
    if (metrics->module == NULL || metrics->module->abi != AM_METRICS_ABI)
        return am_problem_set(problem,
                              "milter.metrics_listen: the HTTP part belongs to another version");
    return true;
}

struct am_metrics *am_metrics_start(const char *listen, const struct am_metrics_source *source,
                                    struct am_problem *problem)
{
    struct am_metrics_address address = {0};
    char why[256] = "";
    if (!parse_address(&address, listen, problem))
        return NULL;
    struct am_metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL) {
        am_problem_set(problem, "memory is short");
        return NULL;
    }
    if (load(metrics, problem)) {
        metrics->server = metrics->module->start(&address, source, why, sizeof(why));
        if (metrics->server != NULL)
            return metrics;
        am_problem_set(problem, "milter.metrics_listen: cannot serve on %s: %s", listen, why);
    }
    am_metrics_stop(metrics);
    return NULL;
}

void am_metrics_stop(struct am_metrics *metrics)
{
    if (metrics == NULL)
        return;
    if (metrics->server != NULL)
        metrics->module->stop(metrics->server);
    /* The library stays: its dependencies do not unload cleanly, and the process ends anyway. */
    free(metrics);
}
