#include "common/dns/dns_codec.h"
#include "common/dns/dns_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reply to a question for "example.com"; the first octet of the input chooses the type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum am_dns_type types[] = {AM_DNS_A, AM_DNS_PTR, AM_DNS_MX, AM_DNS_TXT,
                                             AM_DNS_AAAA};
    struct am_dns_question question = {.id = 0x1234};
    struct am_dns_reply reply;

    if (size < 1 || !am_dns_name_parse(&question.name, "example.com"))
        return 0;
    enum am_dns_type type = types[data[0] % 5];
    question.type = (uint16_t)type;
    (void)am_dns_packet_match(data + 1, size - 1, &question);
    am_dns_reply_read(&reply, data + 1, size - 1, &question.name, type, 0);
    bool has_text = type == AM_DNS_PTR || type == AM_DNS_MX || type == AM_DNS_TXT;
    for (size_t i = 0; reply.set != NULL && has_text && i < reply.set->count; i++) {
        struct am_span text = reply.set->records[i].text;
        if (text.len > 0 && memchr(text.ptr, text.ptr[text.len - 1], text.len) == NULL)
            __builtin_trap();
    }
    am_dns_set_drop(reply.set);
    return 0;
}
