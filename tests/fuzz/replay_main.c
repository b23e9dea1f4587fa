/*
 * Runs a fuzz target over the files of its corpus, once each: what libFuzzer's own main would do
 * with them, for any compiler.
 *
 *     TARGET DIRECTORY...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs go into memory of exactly their size, so that a read past the end is seen. */
static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *data = size < 0 ? NULL : malloc(size == 0 ? 1 : (size_t)size);
    int bad = data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size;
    fclose(file);
    if (!bad) {
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    free(data);
    return bad;
}

static int run_directory(const char *directory, unsigned *count)
{
    DIR *dir = opendir(directory);
    int bad = 0;
    if (dir == NULL) {
        fprintf(stderr, "no corpus at %s\n", directory);
        return 1;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        bad |= run_file(path);
        ++*count;
    }
    closedir(dir);
    return bad;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int bad = 0;
    for (int i = 1; i < argc; i++)
        bad |= run_directory(argv[i], &count);
    printf("%u inputs\n", count);
    return bad || count == 0;
}
