#include "authmilter/report_mail.h"

#include <time.h>

#include "common/base/printable.h"
#include "dkim-milter/dkim_base64.h"
#include "dmarc-milter/dmarc_report.h"

/* Digits of base 64 in a line, and octets they stand for. */
#define LINE_DIGITS 76
#define LINE_OCTETS (LINE_DIGITS / 4 * 3)

/* What a mail has beside its content, generously. */
#define OVERHEAD 8192

size_t report_mail_room(size_t size)
{
    return size <= OVERHEAD ? 0 : (size - OVERHEAD) / (LINE_DIGITS + 1) * LINE_OCTETS;
}

static void write_date(struct am_buf *out, int64_t now_s)
{
    time_t time = (time_t)now_s;
    char text[64] = "";
    struct tm date;

    if (gmtime_r(&time, &date) != NULL)
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &date);
    am_buf_printf(out, "Date: %s\n", text);
}

static void write_header(const struct report_mail *mail, struct am_buf *out)
{
    am_buf_printf(out, "From: %s\nTo:", mail->from);
    for (size_t i = 0; i < mail->recipient_count; i++)
        am_buf_printf(out, "%s %s", i == 0 ? "" : ",\n", mail->recipients[i]);
    am_buf_printf(out,
                  "\nSubject: Report Domain: %s\n Submitter: %s\n Report-ID: <%s>\n"
                  "Message-ID: <%s@%s>\n",
                  mail->policy_domain, mail->receiver, mail->report_id, mail->report_id,
                  mail->receiver);
    write_date(out, mail->now_s);
    am_buf_printf(out,
                  "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
                  "Content-Type: multipart/mixed; boundary=\"report-%s\"\n\n",
                  mail->report_id);
}

static bool write_words(const struct report_mail *mail, struct am_buf *out)
{
    struct am_arena *arena = am_arena_new(1024, 0);
    const char *org_name =
        arena == NULL ? NULL : am_printable_copy(arena, am_span_str(mail->org_name), 200);
    char day[DMARC_REPORT_ID_MAX];

    if (org_name != NULL)
        am_buf_printf(out,
                      "--report-%s\nContent-Type: text/plain; charset=us-ascii\n\n"
                      "This is a DMARC aggregate report (RFC 9990) of\n%s\n"
                      "about mail of %s that came in on\n%s (UTC).\n"
                      "Messages: %lld; records: %lld. The report is in the attached file.\n\n",
                      mail->report_id, org_name, mail->policy_domain,
                      dmarc_report_day(mail->day, day), (long long)mail->messages,
                      (long long)mail->records);
    am_arena_free(arena);
    return org_name != NULL;
}

static void write_content(const struct report_mail *mail, struct am_buf *out)
{
    am_buf_printf(out,
                  "--report-%s\nContent-Type: application/gzip;\n name=\"%s\"\n"
                  "Content-Transfer-Encoding: base64\n"
                  "Content-Disposition: attachment;\n filename=\"%s\"\n\n",
                  mail->report_id, mail->file, mail->file);
    for (size_t at = 0; at < mail->content.len; at += LINE_OCTETS) {
        size_t rest = mail->content.len - at;

        dkim_base64_encode(
            out, am_span_of(mail->content.ptr + at, rest < LINE_OCTETS ? rest : LINE_OCTETS));
        am_buf_add_char(out, '\n');
    }
    am_buf_printf(out, "--report-%s--\n", mail->report_id);
}

static bool is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text > '~' || *text == '"')
            return false;
    return true;
}

/* Names come out of a database by now, which is a file that others may have written to. */
static bool are_plain(const struct report_mail *mail)
{
    for (size_t i = 0; i < mail->recipient_count; i++)
        if (!is_plain(mail->recipients[i]))
            return false;
    return is_plain(mail->from) && is_plain(mail->policy_domain) && is_plain(mail->receiver) &&
           is_plain(mail->report_id) && is_plain(mail->file);
}

bool report_mail_write(const struct report_mail *mail, struct am_buf *out)
{
    if (!are_plain(mail))
        return false;
    write_header(mail, out);
    if (!write_words(mail, out))
        return false;
    write_content(mail, out);
    return !out->failed;
}
