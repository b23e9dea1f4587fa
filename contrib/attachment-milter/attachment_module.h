#ifndef CONTRIB_ATTACHMENT_MILTER_ATTACHMENT_MODULE_H
#define CONTRIB_ATTACHMENT_MILTER_ATTACHMENT_MODULE_H

#include "common/milter/module.h"

/* Dangerous attachments as a module: section "attachment"; it publishes no result. */
extern const struct am_module attachment_module;

#endif
