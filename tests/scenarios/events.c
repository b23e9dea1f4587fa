#include "tests/scenarios/play.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/scenarios/text.h"

enum { WORDS_MAX = 14 };

/* The blank-separated words of a line, escapes undone. */
struct words {
    char *items[WORDS_MAX];
    size_t count;
};

static void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
}

static bool words_of(struct words *words, const char *text)
{
    *words = (struct words){.count = 0};
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        char *raw = strndup(text, len);
        struct am_buf word;
        am_buf_init(&word, 0);
        bool ok = words->count < WORDS_MAX && raw != NULL && text_unescape(&word, raw);
        if (ok)
            words->items[words->count++] = strdup(am_buf_str(&word));
        am_buf_fini(&word);
        free(raw);
        if (!ok)
            return false;
        text += len + strspn(text + len, " ");
    }
    return true;
}

static const char *word(const struct words *words, size_t index, const char *fallback)
{
    return index < words->count ? words->items[index] : fallback;
}

/* The macros Postfix sends by default, as far as a milter for authentication looks at them. */
static void set_default_macros(struct mta_session *session, unsigned message)
{
    char queue_id[32];
    snprintf(queue_id, sizeof(queue_id), "Q%u", message);
    mta_set_macro(session, MTA_CMD_CONNECT, "j", "mx.example.org");
    mta_set_macro(session, MTA_CMD_CONNECT, "{daemon_name}", "mx.example.org");
    mta_set_macro(session, MTA_CMD_CONNECT, "v", "Postfix");
    mta_set_macro(session, MTA_CMD_DATA, "i", queue_id);
    mta_set_macro(session, MTA_CMD_EOH, "i", queue_id);
    mta_set_macro(session, MTA_CMD_EOM, "i", queue_id);
}

/* client ADDRESS [NAME], client local, client unknown */
static void do_client(struct play *play, const struct scenario_line *line,
                      const struct words *words)
{
    char path[256];
    snprintf(path, sizeof(path), "unix:%s/%s", play->daemon.dir, play->socket);
    struct mta_options options = {.socket = play->socket == NULL ? play->daemon.socket : path,
                                  .timeout_ms = 60000,
                                  .steps = play->steps};
    struct am_problem problem = {""};
    mta_close(play->session);
    play->session = mta_open(&options, &problem);
    if (play->session == NULL) {
        play_fail(play, line, "%s", problem.text);
        return;
    }
    const char *address = word(words, 0, "");
    char six[128], bracketed[128];
    snprintf(six, sizeof(six), "IPv6:%s", address);
    snprintf(bracketed, sizeof(bracketed), "[%s]", address);
    struct mta_peer peer = {word(words, 1, bracketed), '4', 40000, address};
    if (strchr(address, ':') != NULL) {
        peer.family = '6';
        peer.address = six;
    } else if (strcmp(address, "local") == 0) {
        peer = (struct mta_peer){"localhost", '4', 0, "127.0.0.1"};
    } else if (strcmp(address, "unknown") == 0) {
        peer = (struct mta_peer){"unknown", 'U', 0, ""};
    }
    set_default_macros(play->session, play->messages + 1);
    if (play->listener != NULL)
        mta_set_macro(play->session, MTA_CMD_CONNECT, "{daemon_name}", play->listener);
    play->reply = mta_connect(play->session, &peer);
}

static void do_macro(struct play *play, const struct scenario_line *line, const struct words *words)
{
    static const struct {
        const char *word;
        enum mta_command stage;
    } stages[] = {{"client", MTA_CMD_CONNECT}, {"helo", MTA_CMD_HELO}, {"from", MTA_CMD_MAIL},
                  {"to", MTA_CMD_RCPT},        {"data", MTA_CMD_DATA}, {"end", MTA_CMD_EOM}};
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (strcmp(word(words, 0, ""), stages[i].word) == 0) {
            mta_set_macro(play->session, stages[i].stage, word(words, 1, ""), word(words, 2, NULL));
            return;
        }
    }
    play_fail(play, line, "macro client|helo|from|to|data|end NAME [VALUE]");
}

/* The address of a command; @SENDER@ is the sender of the mail before, as it went on. */
static const char *address(const struct play *play, const struct words *words)
{
    const char *text = word(words, 0, "<>");

    return strcmp(text, "@SENDER@") == 0 && play->sender != NULL ? play->sender : text;
}

static void do_from(struct play *play, const struct words *words)
{
    play->messages++;
    play->message_ended = false;
    set_default_macros(play->session, play->messages);
    play->reply =
        mta_mail(play->session, address(play, words), (const char *const *)(words->items + 1),
                 words->count > 1 ? words->count - 1 : 0);
}

/* A step that ends the message for good is the reply to the whole. */
static bool goes_on(struct play *play, struct mta_reply reply)
{
    play->reply = reply;
    return reply.outcome == MTA_CONTINUE;
}

/* Sends "Name: value" lines and their folds; returns the first line behind the blank one. */
static const char *send_fields(struct play *play, const struct scenario_line *line,
                               const char *text, bool *going)
{
    while (*going && *text != '\0' && *text != '\n') {
        size_t len = strcspn(text, "\n");
        while (text[len] == '\n' && (text[len + 1] == ' ' || text[len + 1] == '\t'))
            len += 1 + strcspn(text + len + 1, "\n");
        char *field = strndup(text, len);
        char *colon = field == NULL ? NULL : strchr(field, ':');
        struct am_buf value;
        am_buf_init(&value, 0);
        if (colon == NULL || !text_unescape(&value, colon + 1)) {
            play_fail(play, line, "not a header field: %.60s", text);
            *going = false;
        } else {
            *colon = '\0';
            *going = goes_on(play, mta_header(play->session, field, am_buf_str(&value)));
        }
        am_buf_fini(&value);
        free(field);
        text += len + (text[len] == '\n');
    }
    return *text == '\n' ? text + 1 : text;
}

static void send_body(struct play *play, const struct scenario_line *line, const char *text,
                      bool *going)
{
    struct am_buf body;
    am_buf_init(&body, 0);
    if (!text_body(&body, text))
        play_fail(play, line, "unknown escape in the body");
    if (body.len > 0)
        *going = goes_on(play, mta_body(play->session, am_buf_span(&body)));
    am_buf_fini(&body);
}

/* data: the whole message up to the final dot. */
static void do_data(struct play *play, const struct scenario_line *line, bool finish)
{
    bool going = goes_on(play, mta_data(play->session));
    if (mta_message(play->session)->recipients.count == 0) {
        play_fail(play, line, "DATA without a recipient");
        return;
    }
    struct am_problem problem = {""};
    struct am_buf mail;
    am_buf_init(&mail, 0);
    if (!sign_apply(&play->orders, am_buf_str(&line->block), &mail, &problem))
        play_fail(play, line, "%s", problem.text);
    const char *rest = send_fields(play, line, am_buf_str(&mail), &going);
    if (going)
        going = goes_on(play, mta_eoh(play->session));
    if (going)
        send_body(play, line, rest, &going);
    am_buf_fini(&mail);
    if (going && finish)
        play->reply = mta_eom(play->session);
    play->message_ended = finish;
    free(play->sender);
    play->sender = strdup(mta_message(play->session)->sender);
    play_check_block(play, line);
}

/* write NAME, and the lines behind it: the file is there anew, and the program has reloaded. */
static void do_write(struct play *play, const struct scenario_line *line)
{
    struct am_problem problem = {""};
    if (!play_write_file(play, line->text, &line->block, &problem))
        play_fail(play, line, "%s", problem.text);
    else if (!play_wait_log(play, "reloaded changed files", ++play->reloads))
        play_fail(play, line, "the program does not reload");
}

/* put NAME, and the lines behind it: the file is there anew, at once and as a whole. */
static void do_put(struct play *play, const struct scenario_line *line)
{
    char beside[200], from[300], to[300];
    struct am_problem problem = {""};
    snprintf(beside, sizeof(beside), "%.190s.new", line->text);
    snprintf(from, sizeof(from), "%s/%s", play->daemon.dir, beside);
    snprintf(to, sizeof(to), "%s/%.190s", play->daemon.dir, line->text);
    if (!play_write_file(play, beside, &line->block, &problem))
        play_fail(play, line, "%s", problem.text);
    else if (rename(from, to) != 0)
        play_fail(play, line, "%s cannot be replaced", to);
}

/* reload, and the lines behind it: another configuration, which the program is told to read. */
static void do_reload(struct play *play, const struct scenario_line *line)
{
    struct am_problem problem = {""};
    if (!play_write_file(play, "conf", &line->block, &problem))
        play_fail(play, line, "%s", problem.text);
    mta_daemon_signal(&play->daemon, SIGHUP);
    if (!play_wait_log(play, "reloaded the configuration", ++play->reconfigurations))
        play_fail(play, line, "the program does not reload");
}

static bool needs_session(struct play *play, const struct scenario_line *line)
{
    if (play->session == NULL)
        play_fail(play, line, "no client yet");
    return play->session != NULL;
}

/* Sockets come one after the other: waits at most 20 s for this one. */
static bool await_socket(const struct play *play)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", play->daemon.dir, play->socket);
    for (int i = 0; i < 400; i++) {
        if (access(path, F_OK) == 0)
            return true;
        usleep(50000);
    }
    return false;
}

/* sign KEY [TAG]..., alter OLD NEW, listener NAME, socket NAME,
 * no-leading-blank: what comes later is meant. */
static bool do_ahead(struct play *play, const struct scenario_line *line, const struct words *words)
{
    struct am_problem problem = {""};
    if (strcmp(line->verb, "listener") == 0) {
        play->listener = line->text;
        return true;
    }
    if (strcmp(line->verb, "socket") == 0) {
        play->socket = line->text;
        if (!await_socket(play))
            play_fail(play, line, "there is no such socket");
        return true;
    }
    if (strcmp(line->verb, "no-leading-blank") == 0) {
        play->steps = MTA_STEP_ALL & ~MTA_STEP_HEADER_SPACE;
        return true;
    }
    if (strcmp(line->verb, "sign") != 0 && strcmp(line->verb, "alter") != 0)
        return false;
    if (!sign_note(&play->orders, line->verb, words->items, words->count, &problem))
        play_fail(play, line, "%s", problem.text);
    return true;
}

void play_event(struct play *play, const struct scenario_line *line)
{
    struct words words;
    const char *verb = line->verb;
    if (!words_of(&words, line->text)) {
        play_fail(play, line, "unknown escape or too many words");
    } else if (do_ahead(play, line, &words)) {
        /* done */
    } else if (strcmp(verb, "write") == 0) {
        do_write(play, line);
    } else if (strcmp(verb, "put") == 0) {
        do_put(play, line);
    } else if (strcmp(verb, "reload") == 0) {
        do_reload(play, line);
    } else if (strcmp(verb, "wait-log") == 0) {
        if (!play_wait_log(play, line->text, 1))
            play_fail(play, line, "the log does not come to hold %s", line->text);
    } else if (strcmp(verb, "tool") == 0) {
        play_tool(play, line, words.items, words.count);
    } else if (strcmp(verb, "client") == 0) {
        do_client(play, line, &words);
    } else if (!needs_session(play, line)) {
        /* said already */
    } else if (strcmp(verb, "authenticated") == 0) {
        mta_set_macro(play->session, MTA_CMD_MAIL, "{auth_authen}", word(&words, 0, NULL));
    } else if (strcmp(verb, "macro") == 0) {
        do_macro(play, line, &words);
    } else if (strcmp(verb, "helo") == 0) {
        play->reply = mta_helo(play->session, word(&words, 0, ""));
    } else if (strcmp(verb, "from") == 0) {
        do_from(play, &words);
    } else if (strcmp(verb, "to") == 0) {
        play->reply =
            mta_rcpt(play->session, address(play, &words), (const char *const *)(words.items + 1),
                     words.count > 1 ? words.count - 1 : 0);
    } else if (strcmp(verb, "data") == 0) {
        do_data(play, line, true);
    } else if (strcmp(verb, "half-data") == 0) {
        do_data(play, line, false);
    } else if (strcmp(verb, "reset") == 0) {
        play->reply = mta_abort(play->session);
    } else if (strcmp(verb, "next-connection") == 0) {
        play->reply = mta_quit_nc(play->session);
    } else if (strcmp(verb, "vanish") == 0) {
        mta_drop(play->session);
        play->session = NULL;
    } else {
        play_fail(play, line, "unknown word: %s", verb);
    }
    words_fini(&words);
}
