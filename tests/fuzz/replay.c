/* Runs a fuzz target over saved inputs: replay FILE|FOLDER... Prints the number of inputs; 1 when there is none. */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *data;
    size_t size;

    if (!file || fstat(fileno(file), &status) < 0)
        err(1, "%s", path);
    data = malloc((size_t)status.st_size + 1);
    if (!data)
        err(1, NULL);
    size = fread(data, 1, (size_t)status.st_size, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static size_t replay_folder(const char *path)
{
    struct dirent **entries;
    char file[4096];
    size_t count = 0;
    int n = scandir(path, &entries, NULL, alphasort);

    if (n < 0)
        err(1, "%s", path);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
            count += replay_file(file);
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    struct stat status;

    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &status) < 0)
            err(1, "%s", argv[i]);
        count += S_ISDIR(status.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    printf("%zu inputs\n", count);
    return count ? 0 : 1;
}
