#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dkim-milter/dkim_key_load.h"
#include "tests/unit/dkim/key_room.h"

/* Somebody who is neither root nor whoever runs the tests. */
#define SIGNER_UID 4711
#define SIGNER_GID 4712
#define OTHER_GID 4713

static const struct dkim_key_reader signer = {
    .uid = SIGNER_UID, .groups = {SIGNER_GID}, .group_count = 1, .group_name = "signers"};

static struct dkim_key_reader self(void)
{
    struct dkim_key_reader reader;
    assert_true(dkim_key_reader_find(&reader, "", "", NULL));
    return reader;
}

static struct stat made(uid_t uid, gid_t gid, mode_t mode)
{
    return (struct stat){.st_uid = uid, .st_gid = gid, .st_mode = mode};
}

static void file_is_fit(uid_t uid, gid_t gid, mode_t mode)
{
    struct stat info = made(uid, gid, S_IFREG | mode);
    struct am_problem problem = {.text = ""};
    if (!dkim_key_file_judge("/k", &info, &signer, &problem))
        fail_msg("%o refused: %s", mode, problem.text);
}

static void file_says(uid_t uid, gid_t gid, mode_t mode, const char *sentence)
{
    struct stat info = made(uid, gid, mode);
    struct am_problem problem = {.text = ""};
    assert_false(dkim_key_file_judge("/etc/k/a.pem", &info, &signer, &problem));
    assert_string_equal(problem.text, sentence);
}

static void judges_owner_and_mode_of_the_file(void **state)
{
    (void)state;
    file_is_fit(SIGNER_UID, OTHER_GID, 0600);
    file_is_fit(SIGNER_UID, OTHER_GID, 0400);
    file_is_fit(SIGNER_UID, SIGNER_GID, 0640);
    file_is_fit(SIGNER_UID, 0, 0440);
    file_is_fit(0, SIGNER_GID, 0640);
    file_says(SIGNER_UID, SIGNER_GID, S_IFREG | 0644,
              "/etc/k/a.pem can be read by everybody; mend it with: chmod 0600 /etc/k/a.pem");
    file_says(SIGNER_UID, SIGNER_GID, S_IFREG | 0660,
              "/etc/k/a.pem can be written by its group; mend it with: chmod 0600 /etc/k/a.pem");
    file_says(SIGNER_UID, SIGNER_GID, S_IFREG | 0602,
              "/etc/k/a.pem can be written by everybody; mend it with: chmod 0600 /etc/k/a.pem");
    file_says(SIGNER_UID, OTHER_GID, S_IFREG | 0640,
              "/etc/k/a.pem can be read by a group that has no business with it; mend it with: "
              "chmod 0600 /etc/k/a.pem");
    file_says(0, 0, S_IFREG | 0600,
              "/etc/k/a.pem cannot be read by the user who signs; mend it with: chown root:signers "
              "/etc/k/a.pem && chmod 0640 /etc/k/a.pem");
    file_says(1234, SIGNER_GID, S_IFREG | 0640,
              "/etc/k/a.pem belongs neither to root nor to the user who signs; mend it with: chown "
              "root:signers /etc/k/a.pem && chmod 0640 /etc/k/a.pem");
    file_says(SIGNER_UID, SIGNER_GID, S_IFDIR | 0700,
              "/etc/k/a.pem is a directory, not a regular file; name the file with the key");
}

static void names_a_command_for_root_when_root_signs(void **state)
{
    const struct dkim_key_reader root = {.group_count = 1, .group_name = "root"};
    struct stat info = made(1234, 0, S_IFREG | 0600);
    struct am_problem problem;
    (void)state;
    assert_false(dkim_key_file_judge("/k/it's", &info, &root, &problem));
    assert_non_null(strstr(problem.text, "chown root '/k/it'\\''s' && chmod 0600 '/k/it'\\''s'"));
}

static void directory_is_fit(uid_t uid, gid_t gid, mode_t mode)
{
    struct stat info = made(uid, gid, S_IFDIR | mode);
    struct am_problem problem = {.text = ""};
    if (!dkim_key_directory_judge("/d", &info, &signer, &problem))
        fail_msg("%o refused: %s", mode, problem.text);
}

static void directory_says(uid_t uid, gid_t gid, mode_t mode, const char *sentence)
{
    struct stat info = made(uid, gid, S_IFDIR | mode);
    struct am_problem problem = {.text = ""};
    assert_false(dkim_key_directory_judge("/etc/k", &info, &signer, &problem));
    assert_string_equal(problem.text, sentence);
}

static void judges_directories(void **state)
{
    (void)state;
    directory_is_fit(0, 0, 0755);
    directory_is_fit(0, 0, 01777);
    directory_is_fit(SIGNER_UID, SIGNER_GID, 0700);
    directory_is_fit(0, SIGNER_GID, 0710);
    directory_says(0, 0, 0777,
                   "/etc/k can be written by everybody, who could replace the key; mend it with: "
                   "chmod go-w /etc/k");
    directory_says(0, SIGNER_GID, 0775,
                   "/etc/k can be written by its group, who could replace the key; mend it with: "
                   "chmod g-w /etc/k");
    directory_says(1234, SIGNER_GID, 0755,
                   "/etc/k belongs to user 1234, who could replace the key; mend it with: chown "
                   "root /etc/k");
    directory_says(0, 0, 0700,
                   "/etc/k cannot be entered by the user who signs (4711); mend it with: chgrp "
                   "signers /etc/k && chmod u+x,g+x /etc/k");
}

static void loads(const char *name)
{
    struct dkim_key_reader reader = self();
    struct am_problem problem = {.text = ""};
    struct dkim_private_key *key = dkim_key_load(key_room_path(name), &reader, &problem);
    if (key == NULL)
        fail_msg("%s", problem.text);
    dkim_private_key_free(key);
}

static void refuses(const char *name, const char *what)
{
    struct dkim_key_reader reader = self();
    struct am_problem problem = {.text = ""};
    assert_null(dkim_key_load(key_room_path(name), &reader, &problem));
    if (strstr(problem.text, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, problem.text);
}

static void loads_a_key_from_disk(void **state)
{
    (void)state;
    key_room_key("a.key", 1);
    loads("a.key");
    loads("./a.key");
    assert_int_equal(chmod(key_room_path("a.key"), 0604), 0);
    refuses("a.key", "can be read by everybody; mend it with: chmod 0600 ");
}

static void names_the_directory_on_the_way(void **state)
{
    (void)state;
    key_room_folder("open", 0777);
    key_room_folder("open/shut", 0700);
    key_room_key("open/shut/a.key", 1);
    refuses("open/shut/a.key", "/open can be written by everybody");
    assert_int_equal(chmod(key_room_path("open"), 01777), 0);
    loads("open/shut/a.key");
}

static void refuses_another_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root gives files away */
    key_room_key("a.key", 1);
    assert_int_equal(chown(key_room_path("a.key"), 4711, 0), 0);
    refuses("a.key", "belongs neither to root");
    key_room_folder("his", 0700);
    key_room_key("his/a.key", 1);
    assert_int_equal(chown(key_room_path("his"), 4711, 0), 0);
    refuses("his/a.key", "/his belongs to user 4711");
    key_room_key("b.key", 1);
    assert_int_equal(symlink("b.key", key_room_path("link")), 0);
    loads("link");
    assert_int_equal(lchown(key_room_path("link"), 4711, 0), 0);
    refuses("link", "chown -h root");
}

static void follows_links_and_judges_where_they_lead(void **state)
{
    (void)state;
    key_room_folder("a", 0700);
    key_room_folder("a/b", 0700);
    key_room_key("a/b/k.key", 1);
    assert_int_equal(symlink("a/b", key_room_path("relative")), 0);
    assert_int_equal(symlink(key_room_path("a/b/k.key"), key_room_path("absolute")), 0);
    assert_int_equal(symlink("../b/../../relative/k.key", key_room_path("a/b/up")), 0);
    assert_int_equal(symlink("loop", key_room_path("loop")), 0);
    assert_int_equal(symlink("nowhere", key_room_path("dangling")), 0);
    loads("relative/k.key");
    loads("absolute");
    loads("a/b/up");
    refuses("loop", "/loop is a link that leads nowhere");
    refuses("dangling", "/nowhere does not exist");
    assert_int_equal(chmod(key_room_path("a"), 0770), 0);
    refuses("relative/k.key", "/a can be written by its group");
}

static void refuses_what_is_no_key_file(void **state)
{
    char *large = malloc(70000);
    (void)state;
    assert_non_null(large);
    memset(large, 'A', 70000);
    large[69999] = '\0';
    key_room_put("large", large, 0600);
    free(large);
    key_room_put("empty", "", 0600);
    key_room_put("text", "hello\n", 0600);
    assert_int_equal(mkfifo(key_room_path("fifo"), 0600), 0);
    refuses("large", "/large: too large");
    refuses("empty", "/empty: the file is empty");
    refuses("text", "/text: there is no private key");
    refuses("fifo", "/fifo is something special, not a regular file");
    refuses("", " is a directory");
    refuses("text/x", "/text is not a directory");
    refuses("absent/x", "/absent does not exist");
    key_room_folder("folder", 0700);
    refuses("folder", "/folder is a directory");

    struct dkim_key_reader reader = self();
    struct am_problem problem;
    assert_null(dkim_key_load("relative.pem", &reader, &problem));
    assert_string_equal(problem.text, "relative.pem is no full path of a file");
    assert_null(dkim_key_load("/", &reader, &problem));
    assert_null(dkim_key_load("/dev/null", &reader, &problem));
}

static void refuses_ways_without_end(void **state)
{
    char path[5000];
    struct dkim_key_reader reader = self();
    struct am_problem problem;
    (void)state;
    memset(path, '/', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_null(dkim_key_load(path, &reader, &problem));
    memset(path + 1, 'a', 1000);
    path[1001] = '\0';
    assert_null(dkim_key_load(path, &reader, &problem));
    assert_non_null(strstr(problem.text, "so long a name"));
}

static void finds_who_signs(void **state)
{
    struct dkim_key_reader reader;
    struct am_problem problem;
    (void)state;
    assert_true(dkim_key_reader_find(&reader, "", "", &problem));
    assert_int_equal(reader.uid, geteuid());
    assert_int_equal(reader.groups[0], getegid());
    if (geteuid() != 0)
        skip(); /* others have become who they are */
    assert_true(dkim_key_reader_find(&reader, "nobody", "", &problem));
    assert_int_not_equal(reader.uid, 0);
    assert_string_equal(reader.group_name, "nogroup");
    assert_true(dkim_key_reader_find(&reader, "nobody", "daemon", &problem));
    assert_string_equal(reader.group_name, "daemon");
    assert_int_equal(reader.groups[0], 1);
    assert_false(dkim_key_reader_find(&reader, "no-such-user", "", &problem));
    assert_string_equal(problem.text, "there is no user \"no-such-user\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, key_room_open, key_room_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_owner_and_mode_of_the_file),
        cmocka_unit_test(names_a_command_for_root_when_root_signs),
        cmocka_unit_test(judges_directories),
        TEST(loads_a_key_from_disk),
        TEST(names_the_directory_on_the_way),
        TEST(refuses_another_owner),
        TEST(follows_links_and_judges_where_they_lead),
        TEST(refuses_what_is_no_key_file),
        TEST(refuses_ways_without_end),
        cmocka_unit_test(finds_who_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
