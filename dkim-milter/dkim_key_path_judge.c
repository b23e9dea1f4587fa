#include <stdio.h>
#include <string.h>

#include "common/base/span.h"
#include "dkim-milter/dkim_key_path.h"

static bool is_plain(char c)
{
    return am_is_alnum((unsigned char)c) || strchr("/._-+@%:,=", c) != NULL;
}

/* Writes a path as one word of a shell command; one too long for the sentence is cut. */
static const char *quoted(char out[512], const char *path)
{
    size_t len = 0, plain = 0;
    while (path[plain] != '\0' && is_plain(path[plain]))
        plain++;
    if (path[plain] == '\0' && plain > 0 && path[0] != '-') {
        snprintf(out, 512, "%s", path);
        return out;
    }
    out[len++] = '\'';
    for (; *path != '\0' && len < 500; path++) {
        if (*path == '\'')
            len += (size_t)snprintf(out + len, 512 - len, "'\\'");
        out[len++] = *path;
    }
    out[len++] = '\'';
    out[len] = '\0';
    return out;
}

static bool is_member(const struct dkim_key_reader *reader, gid_t group)
{
    for (size_t i = 0; i < reader->group_count; i++)
        if (reader->groups[i] == group)
            return true;
    return false;
}

static bool is_trusted(const struct dkim_key_reader *reader, uid_t owner)
{
    return owner == 0 || owner == reader->uid;
}

/* bits: of "others", 04 to read and 01 to enter; as the kernel judges, the first class that fits
 * counts. */
static bool may(const struct dkim_key_reader *reader, const struct stat *info, mode_t bits)
{
    if (reader->uid == 0)
        return true;
    if (info->st_uid == reader->uid)
        return (info->st_mode & bits << 6) != 0;
    if (is_member(reader, info->st_gid))
        return (info->st_mode & bits << 3) != 0;
    return (info->st_mode & bits) != 0;
}

bool dkim_key_directory_judge(const char *path, const struct stat *info,
                              const struct dkim_key_reader *reader, struct am_problem *problem)
{
    char word[512];
    const char *shell = quoted(word, path);
    if (!is_trusted(reader, info->st_uid))
        return am_problem_set(problem,
                              "%s belongs to user %lu, who could replace the key; mend it with: "
                              "chown root %s",
                              path, (unsigned long)info->st_uid, shell);
    if ((info->st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info->st_mode & S_ISVTX) == 0)
        return am_problem_set(
            problem,
            "%s can be written by %s, who could replace the key; mend it with: chmod %s %s", path,
            (info->st_mode & S_IWOTH) != 0 ? "everybody" : "its group",
            (info->st_mode & S_IWOTH) != 0 ? "go-w" : "g-w", shell);
    if (!may(reader, info, S_IXOTH))
        return am_problem_set(problem,
                              "%s cannot be entered by the user who signs (%lu); mend it with: "
                              "chgrp %s %s && chmod u+x,g+x %s",
                              path, (unsigned long)reader->uid, reader->group_name, shell, shell);
    return true;
}

/* One command sets it right, whatever is wrong. */
static bool mend(const char *path, const char *what, const struct stat *info,
                 const struct dkim_key_reader *reader, struct am_problem *problem)
{
    char word[512];
    const char *shell = quoted(word, path);
    if (info->st_uid == reader->uid)
        return am_problem_set(problem, "%s %s; mend it with: chmod 0600 %s", path, what, shell);
    if (reader->uid == 0)
        return am_problem_set(problem, "%s %s; mend it with: chown root %s && chmod 0600 %s", path,
                              what, shell, shell);
    return am_problem_set(problem, "%s %s; mend it with: chown root:%s %s && chmod 0640 %s", path,
                          what, reader->group_name, shell, shell);
}

bool dkim_key_file_judge(const char *path, const struct stat *info,
                         const struct dkim_key_reader *reader, struct am_problem *problem)
{
    bool read_by_group = (info->st_mode & S_IRGRP) != 0;
    if (!S_ISREG(info->st_mode))
        return am_problem_set(problem, "%s is %s, not a regular file; name the file with the key",
                              path, S_ISDIR(info->st_mode) ? "a directory" : "something special");
    if (!is_trusted(reader, info->st_uid))
        return mend(path, "belongs neither to root nor to the user who signs", info, reader,
                    problem);
    if ((info->st_mode & S_IWOTH) != 0)
        return mend(path, "can be written by everybody", info, reader, problem);
    if ((info->st_mode & S_IROTH) != 0)
        return mend(path, "can be read by everybody", info, reader, problem);
    if ((info->st_mode & S_IWGRP) != 0)
        return mend(path, "can be written by its group", info, reader, problem);
    if (read_by_group && info->st_gid != 0 && !is_member(reader, info->st_gid))
        return mend(path, "can be read by a group that has no business with it", info, reader,
                    problem);
    if (!may(reader, info, S_IROTH))
        return mend(path, "cannot be read by the user who signs", info, reader, problem);
    return true;
}
