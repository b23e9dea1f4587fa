#include "dkim-milter/dkim_signing_table.h"

bool dkim_glob_fits(struct am_span glob, struct am_span text)
{
    size_t g = 0, t = 0;
    size_t star = 0, resume = 0; /* just behind the last star, and how far it reached in the text */
    bool has_star = false;
    while (t < text.len) {
        if (g < glob.len && glob.ptr[g] == '*') {
            has_star = true;
            star = ++g;
            resume = t;
        } else if (g < glob.len && glob.ptr[g] == text.ptr[t]) {
            g++;
            t++;
        } else if (has_star) {
            /* Let the last star take one octet more; an earlier one need never be asked again. */
            g = star;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.ptr[g] == '*')
        g++;
    return g == glob.len;
}
