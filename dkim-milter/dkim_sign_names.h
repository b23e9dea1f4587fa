#ifndef DKIM_DKIM_SIGN_NAMES_H
#define DKIM_DKIM_SIGN_NAMES_H

#include "dkim-milter/dkim_sign.h"

/* Which fields are signed; shared by the files of the signer. */

struct dkim_sign_name {
    struct am_span name; /* as it is written in h= */
    bool over;           /* once more than there are fields */
};

struct dkim_sign_names {
    struct dkim_sign_name *items;
    size_t count;
};

#endif
