#ifndef AUTHMILTER_COMMAND_H
#define AUTHMILTER_COMMAND_H

/* A sub-command of authmilter: one file cmd_<name>.c and one row in main.c. */
struct am_command {
    const char *name;
    const char *summary; /* one line for --help, no full stop */
    /* Runs it; argv[0] is the command's name. Returns the exit status; 64 after wrong usage. */
    int (*run)(int argc, char **argv);
};

/* Exit status after wrong usage, as in sysexits.h. */
#define AM_EXIT_USAGE 64

/* Exit status when something the command needs cannot be had: a file, a name server, memory. */
#define AM_EXIT_UNAVAILABLE 69

extern const struct am_command am_command_ar;
extern const struct am_command am_command_check;
extern const struct am_command am_command_dmarc_report;
extern const struct am_command am_command_explain;
extern const struct am_command am_command_keygen;
extern const struct am_command am_command_keys;
extern const struct am_command am_command_migrate;
extern const struct am_command am_command_mta_sim;
extern const struct am_command am_command_replay;
extern const struct am_command am_command_run;
extern const struct am_command am_command_sign;
extern const struct am_command am_command_spf;
extern const struct am_command am_command_srs;
extern const struct am_command am_command_stats;
extern const struct am_command am_command_testkey;
extern const struct am_command am_command_top;
extern const struct am_command am_command_verify;
extern const struct am_command am_command_why;

#endif
