#include "authmilter/cmd_ar.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "authmilter/command.h"

static void print_help(void)
{
    fputs("usage: authmilter ar parse [--strict | --lenient] [FILE]\n"
          "       authmilter ar format [--width N] [--crlf] [--no-name] [--utf8] [FILE]\n\n"
          "parse reads Authentication-Results and ARC-Authentication-Results fields\n"
          "(RFC 8601, RFC 8617) and prints each as one line of JSON; format makes fields of\n"
          "such JSON.\n"
          "Without FILE, or with -, standard input is read.\n\n"
          "  --strict    take only what the grammar allows (the default)\n"
          "  --lenient   forgive what real fields do wrong, and say what was forgiven\n"
          "  --width N   fold lines that would have more than N columns (default 78)\n"
          "  --crlf      end lines with CR LF\n"
          "  --no-name   write the value only, without the field's name\n"
          "  --utf8      allow UTF-8, for messages sent with SMTPUTF8\n\n"
          "Exit status: 0 all done, 1 a field or an object was refused or none was found,\n"
          "64 wrong usage, 69 the file is not readable, the output not writable, or out of\n"
          "memory.\n",
          stdout);
}

int ar_wrong_usage(const char *what)
{
    fprintf(stderr, "authmilter ar: %s; see 'authmilter ar --help'\n", what);
    return AM_EXIT_USAGE;
}

void ar_complain(const struct ar_source *source, size_t line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "authmilter ar: %s:", source->name);
    if (line > 0)
        fprintf(stderr, "%zu:", line);
    fputc(' ', stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int ar_source_open(struct ar_source *source, int argc, char **argv)
{
    if (argc - optind > 1)
        return ar_wrong_usage("more than one file");
    const char *path = optind < argc ? argv[optind] : "-";
    if (strcmp(path, "-") == 0) {
        *source = (struct ar_source){stdin, "standard input"};
        return 0;
    }
    *source = (struct ar_source){fopen(path, "rbe"), path};
    if (source->file != NULL)
        return 0;
    ar_complain(source, 0, "%s", strerror(errno));
    return AM_EXIT_UNAVAILABLE;
}

int ar_source_close(struct ar_source *source, int status)
{
    if (source->file != stdin)
        fclose(source->file);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "authmilter ar: standard output: %s\n", strerror(errno));
    return AM_EXIT_UNAVAILABLE;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return ar_wrong_usage("'parse' or 'format' is missing");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return 0;
        }
    }
    if (strcmp(argv[1], "parse") == 0)
        return ar_parse_run(argc - 1, argv + 1);
    if (strcmp(argv[1], "format") == 0)
        return ar_format_run(argc - 1, argv + 1);
    return ar_wrong_usage("neither 'parse' nor 'format'");
}

const struct am_command am_command_ar = {
    .name = "ar",
    .summary = "turn Authentication-Results fields into JSON and back",
    .run = run,
};
