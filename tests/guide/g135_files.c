/*
 * G135 Counts the words of some files, one goroutine a file, and all of them together. One file is missing.
 *
 * Pattern: parallel for over files, each with a slot of its own for its result; what fails is a result, too.
 */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "guide.h"

enum { FILES = 4, PATH_BYTES = 64 };

static const char *const texts[FILES] = {"one two three\n", NULL /* missing */, "  four\tfive\n\n", ""};

struct file {
    char path[PATH_BYTES];
    int words, error;
};

/* Words as wc counts them: runs of what is not white space. */
static int count_words(FILE *stream)
{
    int words = 0, c;
    bool inside = false;

    while ((c = fgetc(stream)) != EOF) {
        words += !isspace(c) && !inside;
        inside = !isspace(c);
    }
    return words;
}

static int count_file(void *arg)
{
    struct file *file = arg;
    FILE *stream = fopen(file->path, "r");

    if (!stream)
        return -go_errno();
    file->words = count_words(stream);
    fclose(stream);
    return 0;
}

/* Files block their thread: so they are read on a spare one. */
static void count_in_goroutine(void *arg)
{
    struct file *file = arg;

    file->error = go_blocking(count_file, file);
}

static void write_files(const char *folder, struct file *files)
{
    for (int i = 0; i < FILES; i++) {
        FILE *stream;

        snprintf(files[i].path, PATH_BYTES, "%s/file%d.txt", folder, i + 1);
        if (!texts[i])
            continue;
        stream = fopen(files[i].path, "w");
        must(stream && fputs(texts[i], stream) >= 0 && fclose(stream) == 0);
    }
}

static void report(const struct file *files)
{
    int words = 0, errors = 0;

    for (int i = 0; i < FILES; i++) {
        if (files[i].error < 0)
            say("file%d.txt: %s", i + 1, strerror(-files[i].error));
        else
            say("file%d.txt: %d words", i + 1, files[i].words);
        words += files[i].words;
        errors += files[i].error < 0;
    }
    say("total: %d words, %d errors", words, errors);
}

static void count_all(void)
{
    char folder[] = "/tmp/guide-XXXXXX";
    struct file files[FILES] = {0};
    go_waitgroup all = {0};

    must(mkdtemp(folder));
    write_files(folder, files);
    for (int i = 0; i < FILES; i++)
        must(go_waitgroup_go(&all, count_in_goroutine, &files[i], 0) == 0);
    go_waitgroup_wait(&all);
    report(files);
    /* "the words of each file and of all are as `wc -w` counts them: 3, 2, 0, and 5" */
    /* "a missing file is an entry with its error, and the others are counted" */
    must(said(LINES("file1.txt: 3 words", "file2.txt: No such file or directory", "file3.txt: 2 words",
                    "file4.txt: 0 words", "total: 5 words, 1 errors")));
    for (int i = 0; i < FILES; i++)
        must(unlink(files[i].path) == 0 || !texts[i]);
    must(rmdir(folder) == 0);
}

GUIDE_ROW(G135, count_all);
