/* Rows of both tables: taken or refused with a sentence, no more of them than announced. */
#include <stdlib.h>

#include "dkim-milter/dkim_key_table.h"
#include "dkim-milter/dkim_signing_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct am_span text = am_span_of((const char *)data, size), columns[AM_ROWS_COLUMNS_MAX];
    struct am_arena *arena = am_arena_new(1024, 0);
    struct am_problem key_problem = {{0}}, row_problem = {{0}};
    struct am_address address;
    struct dkim_key_row key;
    struct am_rows table;
    am_rows_open_text(&table, "t", text, size % 2 ? &dkim_key_rows : &dkim_signing_rows);
    struct dkim_signing_table *signing = dkim_signing_table_new(arena, table.rows);
    for (size_t rows = 0; am_rows_next(&table, columns, &row_problem) != AM_ROWS_END;) {
        struct dkim_signing_row row = {.line = table.line, .count = 1};
        bool good = dkim_key_row_read(&key, arena, columns, &key_problem);
        good = dkim_signing_table_add(signing, columns[0], &row, &row_problem) && good;
        (void)am_address_parse(&address, columns[0]);
        (void)dkim_signing_table_find(signing, arena, &address);
        if (rows++ == table.rows || (!good && !key_problem.text[0] && !row_problem.text[0]))
            abort();
    }
    am_arena_free(arena);
    return 0;
}
