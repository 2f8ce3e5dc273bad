/* The directories that plugins must lie below: the key plugin_directories, "DIR:DIR". */
#pragma once

/* 0; -EINVAL: one of them is no directory, with words in *why that name it; -ENOMEM. */
int plugin_directories_check(const char *list, char **why);

/* Their real paths, so that they begin the real paths of the files below them; one that cannot be resolved stays as it
 * is, and nothing lies below it. Ends with NULL; plugin_directories_free. NULL: out of memory. */
char **plugin_directories_read(const char *list);
/* Accepts NULL, returns NULL. */
char **plugin_directories_free(char **directories);
