#include "chain/password_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "chain_test.h"

static char path[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/lks-password-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void put(const char *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void test_first_line(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *password;
    } cases[] = {
        {"", ""},
        {"\n", ""},
        {"\r\n", ""},
        {"secret", "secret"},
        {"secret\n", "secret"},
        {"secret\r\nsecond\n", "secret"},
        {"two words \nsecond", "two words "},
        {"a\rb\n", "a\rb"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char password[16];
        size_t len = 99;
        put(cases[i].bytes, strlen(cases[i].bytes));
        OK(lks_password_file_read(password, sizeof password, &len, path));
        assert_int_equal(len, strlen(cases[i].password));
        assert_memory_equal(password, cases[i].password, len);
    }
}

static void test_room(void **state)
{
    (void)state;
    char password[8];
    size_t len;
    put("12345678\n", 9);
    OK(lks_password_file_read(password, sizeof password, &len, path));
    assert_int_equal(len, 8);
    put("123456789\n", 10);
    FAILS(LKS_BADARGS, "first line is longer than 8 bytes",
          lks_password_file_read(password, sizeof password, &len, path));
    assert_null(strstr(lks_error_message(), "12345678"));
}

/* Each right of group and others alone is too much; none of the owner's is. */
static void test_mode(void **state)
{
    (void)state;
    char password[8], text[192];
    size_t len;
    put("secret", 6);
    for (mode_t bit = 1; bit < 0100; bit <<= 1) {
        assert_int_equal(chmod(path, 0600 | bit), 0);
        snprintf(text, sizeof text, "password file %s can be read by others: chmod 600 %s", path,
                 path);
        FAILS(LKS_REFUSED, text, lks_password_file_read(password, sizeof password, &len, path));
    }
    assert_int_equal(chmod(path, 0400), 0);
    OK(lks_password_file_read(password, sizeof password, &len, path));
    assert_int_equal(chmod(path, 0600), 0);
}

static void test_no_file(void **state)
{
    (void)state;
    char password[8];
    size_t len;
    FAILS(LKS_IO, "cannot be opened",
          lks_password_file_read(password, sizeof password, &len, "/nowhere/password"));
    FAILS(LKS_IO, "is not a file", lks_password_file_read(password, sizeof password, &len, "/tmp"));
    FAILS(LKS_IO, "is not a file",
          lks_password_file_read(password, sizeof password, &len, "/dev/null"));
}

/* What a shell makes of <(command). */
static void test_pipe(void **state)
{
    (void)state;
    char password[8], name[32];
    size_t len;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "secret\n", 7), 7);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    OK(lks_password_file_read(password, sizeof password, &len, name));
    assert_int_equal(len, 6);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_line), cmocka_unit_test(test_room), cmocka_unit_test(test_mode),
        cmocka_unit_test(test_no_file),    cmocka_unit_test(test_pipe),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
