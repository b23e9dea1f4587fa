#ifndef AUTH_AUTH_MODULE_H
#define AUTH_AUTH_MODULE_H

#include "common/milter/module.h"

/* SMTP AUTH as a module: section "auth", results of method "auth". */
extern const struct am_module auth_module;

#endif
