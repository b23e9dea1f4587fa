#ifndef AM_TESTS_BENCH_LOAD_H
#define AM_TESTS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/support/mta/mta.h"

/*
 * The load driver: N connections of an MTA kept busy by one thread. What is measured is the
 * milter; the driver therefore builds packets with no more work than copying.
 */

struct load_options {
    const char *socket;
    unsigned connections;
    unsigned messages; /* in all; 0: until `seconds` have passed */
    unsigned seconds;
    unsigned rate;      /* messages begun a second; 0: as many as the milter takes */
    unsigned size;      /* bytes of a message's body */
    const char *sender; /* "u@d%.example": `%` is replaced by a number */
    unsigned senders;   /* numbers go from 0 to senders - 1 and around */
    const char *client; /* address of the clients */
    const char *helo;
    unsigned stuck;           /* further connections whose messages are not counted ... */
    const char *stuck_sender; /* ... with this sender */
    unsigned idle;            /* further connections that only say HELO */
    pid_t pid;                /* of the milter, for its time and memory; 0: not asked */
    unsigned report_s;        /* print memory and descriptors this often; 0: never */
    bool random_sender;       /* numbers are drawn, not counted */
};

/* What a run found. */
struct load_result {
    uint64_t messages, accepted, refused, deferred, errors, edits;
    double seconds;
    long p50_us, p90_us, p99_us, max_us;
    double cpu_us; /* per message */
    long rss_kb, descriptors, threads;
};

/* One connection of the driver. */
struct load_conn {
    struct mta_session *session;
    int fd;
    bool stuck;
    struct am_buf out; /* the message in hand */
    size_t sent;
    size_t waits[512]; /* positions in `out` at which an answer is due */
    size_t wait_count, wait_at;
    struct am_buf in;
    int64_t started_us;
};

/* What became of a look at a connection. */
enum load_progress { LOAD_WAITING, LOAD_DONE, LOAD_BROKEN };

/* Opens a connection up to HELO. Returns false with a sentence. */
bool load_conn_open(struct load_conn *conn, const struct load_options *options,
                    struct am_problem *problem) AM_MUST_USE;

/* Closes it. */
void load_conn_close(struct load_conn *conn);

/* Builds the next message with `sender` and sends its first part. */
enum load_progress load_conn_begin(struct load_conn *conn, const struct load_options *options,
                                   const char *sender, int64_t now_us);

/* Reads answers and sends further parts. `result` takes the counts when the message is done. */
enum load_progress load_conn_go_on(struct load_conn *conn, struct load_result *result);

/* Runs the load. Returns false with a sentence. */
bool load_run(const struct load_options *options, struct load_result *result,
              struct am_problem *problem) AM_MUST_USE;

/* Returns the monotonic time in microseconds. */
int64_t load_now_us(void);

#endif
