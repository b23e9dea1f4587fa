#ifndef AM_TESTS_BENCH_LOAD_H
#define AM_TESTS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "authmilter/mta/mta.h"

/*
 * The load driver: N connections of an MTA kept busy by one thread. What is measured is the
 * milter; the driver therefore builds packets with no more work than copying.
 */

/* Most milters in a row. */
#define LOAD_ROW_MAX 8

/* A milter: where it serves, and its process for its time and memory (0: not asked). */
struct load_milter {
    const char *socket;
    const char *message; /* file or directory: what those before it make of the message; NULL: they
                            change nothing that it would look at */
    pid_t pid;
};

struct load_options {
    /* One, or a row: each message goes through all of them, one after the other, as a mail server
     * hands it through. */
    struct load_milter row[LOAD_ROW_MAX];
    unsigned row_count;
    unsigned connections;
    unsigned messages; /* in all; 0: until `seconds` have passed */
    unsigned seconds;
    unsigned rate;       /* messages begun a second; 0: as many as the milter takes */
    unsigned size;       /* bytes of a message's body, unless it comes from a file */
    const char *message; /* file of the message, or directory of such; NULL: one of ours */
    const char *sender;  /* "u@d%.example": `%` is replaced by a number */
    unsigned senders;    /* numbers go from 0 to senders - 1 and around */
    const char *client;  /* address of the clients */
    const char *helo;
    unsigned stuck;           /* further connections whose messages are not counted ... */
    const char *stuck_sender; /* ... with this sender */
    unsigned idle;            /* further connections that only say HELO */
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

/* Most answers that a message waits for: each field and each chunk of its body, and the steps. */
#define LOAD_WAITS_MAX 512

/* Packets, and the positions at which an answer is due. */
struct load_packets {
    struct am_buf bytes;
    size_t waits[LOAD_WAITS_MAX];
    size_t wait_count;
};

/*
 * Header and body of the messages: built once, and sent from where they are by all connections.
 * With several each message is drawn.
 */
struct load_contents {
    struct load_packets *items;
    size_t count;   /* 0: not built yet */
    uint32_t steps; /* agreed on when they were built */
};

/* One connection of the driver to one milter. */
struct load_conn {
    struct load_conn *first, *next; /* of those that share a message: a row; NULL = the last */
    char sender[512];               /* of the message in hand */
    struct mta_session *session;
    struct load_contents *contents;
    const struct load_packets *content; /* of the message in hand */
    int fd;
    bool stuck;
    bool blocked;                    /* the socket takes no more for now */
    bool awaits_room;                /* for load_run.c: it is told when the socket does */
    struct load_packets before, end; /* of the message in hand: what stands around the content */
    size_t sent;                     /* of all three, one behind the other */
    size_t wait_at;                  /* answers that came */
    struct am_buf in;
    int64_t started_us;
};

/* What became of a look at a connection. */
enum load_progress { LOAD_WAITING, LOAD_DONE, LOAD_BROKEN };

/*
 * Opens a connection to milter `k` of the row, up to HELO. The first one builds the contents, which
 * must outlive all. Returns false with a sentence.
 */
bool load_conn_open(struct load_conn *conn, const struct load_options *options, unsigned k,
                    struct load_contents *contents, struct am_problem *problem) AM_MUST_USE;

/* Closes it. */
void load_conn_close(struct load_conn *conn);

/* Builds the next message from its `sender` and sends its first part. */
enum load_progress load_conn_begin(struct load_conn *conn, int64_t now_us);

/* Reads answers and sends further parts. `result` takes the counts when the message is done. */
enum load_progress load_conn_go_on(struct load_conn *conn, struct load_result *result);

/* Goes on sending after the socket was full. */
enum load_progress load_conn_push(struct load_conn *conn);

/* --- load_packets.c --- */

/* Begins without packets. */
void load_packets_init(struct load_packets *packets);

/* Removes all packets; the memory is kept. */
void load_packets_clear(struct load_packets *packets);

/* Gives the memory back. */
void load_packets_fini(struct load_packets *packets);

/* Notes that an answer is due here, unless `steps` say with `no_reply` that there is none. */
void load_packets_await(struct load_packets *packets, uint32_t steps, uint32_t no_reply);

/*
 * Adds a packet with up to two strings (NULL: left out) and awaits its answer; nothing when `steps`
 * say with `no_send` that the milter does not want it.
 */
void load_packets_add(struct load_packets *packets, uint32_t steps, enum mta_command command,
                      const char *first, const char *second, uint32_t no_send, uint32_t no_reply);

/* Adds the queue id as a macro, which is never answered. */
void load_packets_add_queue_id(struct load_packets *packets, enum mta_command stage);

/*
 * Builds the header and the body of a message for a milter with these terms; the body in chunks
 * as Postfix sends them.
 *
 * message: its file; NULL: one of ours with a body of `size` bytes.
 * Returns: false with a sentence.
 */
bool load_packets_build(struct load_packets *packets, const char *message, size_t size,
                        uint32_t steps, struct am_problem *problem) AM_MUST_USE;

/* --- load_contents.c --- */

/*
 * Builds all messages that `message` (file, directory, NULL: one of ours) names. Returns false with
 * a sentence.
 */
bool load_contents_build(struct load_contents *contents, const struct load_options *options,
                         const char *message, uint32_t steps,
                         struct am_problem *problem) AM_MUST_USE;

/* Gives the memory back. */
void load_contents_fini(struct load_contents *contents);

/* --- load_run.c --- */

/* Runs the load. Returns false with a sentence. */
bool load_run(const struct load_options *options, struct load_result *result,
              struct am_problem *problem) AM_MUST_USE;

/* Returns the monotonic time in microseconds. */
int64_t load_now_us(void);

#endif
