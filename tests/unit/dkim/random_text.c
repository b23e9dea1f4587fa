#include "tests/unit/dkim/random_text.h"

size_t random_below(struct random_source *source, size_t limit)
{
    uint64_t z = source->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (size_t)((z ^ (z >> 31)) % limit);
}

#define PIECE(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct am_span body_pieces[] = {
    PIECE("\r\n"),
    PIECE("\r\n"),
    PIECE("\r\n\r\n"),
    PIECE("\r"),
    PIECE("\n"),
    PIECE("\n\r"),
    PIECE("\r\r\n"),
    PIECE(" "),
    PIECE("\t"),
    PIECE("  "),
    PIECE(" \t \t"),
    PIECE(" \r\n"),
    PIECE("\t\r\n"),
    PIECE(" \r"),
    PIECE("\r "),
    PIECE(" \n"),
    PIECE("\0"),
    PIECE("\v"),
    PIECE("\f"),
    PIECE("x"),
    PIECE("word"),
    PIECE("\xc3\xa4\xff\x80"),
    PIECE("a b c d e f g h i j k l m n o p q r s t u v w x y z"),
    PIECE("A line as most of them are: words, one blank between two of them.\r\n"),
    PIECE("                                                                       "),
    PIECE("A line that is longer than several wide compares together, so that both the loop over "
          "blocks and the one over single vectors find something to do in it.\r\n"),
};

static const struct am_span value_pieces[] = {
    PIECE("\n "),
    PIECE("\n\t"),
    PIECE("\r\n "),
    PIECE("\r\n\t"),
    PIECE(" \n "),
    PIECE(" \r\n \r\n "),
    PIECE("\n"),
    PIECE("\r"),
    PIECE("\r\r\n "),
    PIECE(" "),
    PIECE("  "),
    PIECE("\t"),
    PIECE(" \r"),
    PIECE("\0"),
    PIECE("\v \f"),
    PIECE("x"),
    PIECE("Word"),
    PIECE("\xc3\xa4"),
    PIECE("some words, one blank between two of them"),
    PIECE(
        "v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=selector; t=1700000000; h=From:To"),
};

static void add_pieces(struct random_source *source, size_t pieces, const struct am_span *list,
                       size_t count, struct am_buf *out)
{
    /* Some texts know few kinds of pieces, so that long runs of one kind come up, too. */
    size_t first = random_below(source, count);
    size_t kinds = random_below(source, 3) == 0 ? 1 + random_below(source, 4) : count;

    for (size_t i = 0; i < pieces; i++)
        am_buf_add(out, list[(first + random_below(source, kinds)) % count]);
}

void random_body(struct random_source *source, size_t pieces, struct am_buf *out)
{
    add_pieces(source, pieces, body_pieces, COUNT(body_pieces), out);
}

void random_value(struct random_source *source, size_t pieces, struct am_buf *out)
{
    add_pieces(source, pieces, value_pieces, COUNT(value_pieces), out);
}
