/* Key files. The first two are the test vectors of the Web3 secret storage definition (password
 * "testpassword"); the third was made by eth-keyfile 0.10.0 (password "p\u00e4ssword"). */
#include "chain/keystore.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/json.h"
#include "chain/signer.h"
#include "chain_test.h"

static const char PBKDF2[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":"
    "\"6087dab2f9fdbbfaddc31a909735c1e6\"},"
    "\"ciphertext\":\"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46\",\"kdf\":"
    "\"pbkdf2\",\"kdfparams\":{\"c\":262144,\"dklen\":32,"
    "\"prf\":\"hmac-sha256\",\"salt\":"
    "\"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd\"},"
    "\"mac\":\"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2\"},\"id\":"
    "\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";
static const char SCRYPT[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":"
    "\"83dbcc02d8ccb40e466191a123791e0e\"},"
    "\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":"
    "\"scrypt\",\"kdfparams\":{\"dklen\":32,\"n\":262144,"
    "\"p\":8,\"r\":1,\"salt\":\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"}"
    ","
    "\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"},\"id\":"
    "\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";
static const char FOREIGN[] =
    "{\"address\": \"9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\", \"crypto\": {\"cipher\": "
    "\"aes-128-ctr\", \"cipherparams\": {\"iv\": "
    "\"e9ab26c9adf4b2a8eb150c44dae399e6\"}, \"ciphertext\": "
    "\"e7e8b2a70d67280d0f1abd1285baac050f0cc96428aa998a525ae05c8ee8a911\", \"kdf\": \"scrypt\", "
    "\"kdfparams\": {\"dklen\": 32, \"n\": 4096, \"r\": 8, \"p\": 1, \"salt\": "
    "\"15f74787bce33922528e8fc5d54ea0b8a0a24db10bc4c158615897482495a09a\"}, "
    "\"mac\": \"0640b4db1504050bf6f3cd1755bd98e756c27f0e2136814661beb6a02cb1f922\"}, \"id\": "
    "\"e3f138d9-6c6e-4d23-a9a3-428f7f06abe5\", \"version\": 3}";

static const char KEY[] = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
static const uint8_t ZERO[32];

static char directory[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/lks-keystore-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char path[400];
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
            remove(path);
        }
    if (d)
        closedir(d);
    return rmdir(directory);
}

static lks_err decrypt(uint8_t key[32], const char *json, const char *password)
{
    return lks_keystore_decrypt(key, json, strlen(json), password, strlen(password));
}

static void test_vectors(void **state)
{
    (void)state;
    uint8_t key[32];
    OK(decrypt(key, PBKDF2, "testpassword"));
    assert_hex(key, 32, KEY);
    OK(decrypt(key, SCRYPT, "testpassword"));
    assert_hex(key, 32, KEY);
    OK(decrypt(key, FOREIGN, "p\xc3\xa4ssword"));
    assert_hex(key, 32, "4646464646464646464646464646464646464646464646464646464646464646");
}

static void test_wrong_password(void **state)
{
    (void)state;
    uint8_t key[32];
    FAILS(LKS_AUTH, "wrong password for this key file", decrypt(key, PBKDF2, "testpasswor"));
    assert_memory_equal(key, ZERO, 32);
    FAILS(LKS_AUTH, "wrong password for 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",
          decrypt(key, FOREIGN, ""));
    assert_memory_equal(key, ZERO, 32);
    FAILS(LKS_AUTH, "wrong password", decrypt(key, FOREIGN, "hunter2"));
    assert_null(strstr(lks_error_message(), "hunter2"));
}

/* Replaces the first occurrence of a part of a file, and decrypts. */
static lks_err changed(const char *json, const char *from, const char *to)
{
    char text[2000];
    uint8_t key[32];
    const char *at = strstr(json, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    lks_err err = decrypt(key, text, "p\xc3\xa4ssword");
    if (err)
        assert_memory_equal(key, ZERO, 32);
    return err;
}

static void test_bad_files(void **state)
{
    (void)state;
    FAILS(LKS_REFUSED, "version 3", changed(FOREIGN, "\"version\": 3", "\"version\": 4"));
    FAILS(LKS_CORRUPT, "version", changed(FOREIGN, "\"version\": 3", "\"version\": \"3\""));
    FAILS(LKS_REFUSED, "aes-128-ctr", changed(FOREIGN, "aes-128-ctr", "aes-128-cbc"));
    FAILS(LKS_REFUSED, "scrypt or pbkdf2", changed(FOREIGN, "\"scrypt\"", "\"argon2\""));
    FAILS(LKS_CORRUPT, "crypto", changed(FOREIGN, "\"crypto\"", "\"crypt\""));
    FAILS(LKS_REFUSED, "dklen", changed(FOREIGN, "\"dklen\": 32", "\"dklen\": 64"));
    FAILS(LKS_REFUSED, "1 GiB", changed(FOREIGN, "\"n\": 4096", "\"n\": 2097152"));
    FAILS(LKS_REFUSED, "1 GiB", changed(FOREIGN, "\"n\": 4096", "\"n\": 9223372036854775808"));
    FAILS(LKS_REFUSED, "1 GiB", changed(FOREIGN, "\"p\": 1", "\"p\": 1000000"));
    FAILS(LKS_REFUSED, "1 GiB", changed(FOREIGN, "\"r\": 8", "\"r\": 18446744073709551615"));
    FAILS(LKS_REFUSED, "1 GiB",
          changed(FOREIGN, "\"n\": 4096, \"r\": 8, \"p\": 1",
                  "\"n\": 2, \"r\": 1024, \"p\": 4000"));
    FAILS(LKS_CORRUPT, "power of two", changed(FOREIGN, "\"n\": 4096", "\"n\": 4095"));
    FAILS(LKS_CORRUPT, "power of two", changed(FOREIGN, "\"n\": 4096", "\"n\": 0"));
    FAILS(LKS_CORRUPT, "above 0", changed(FOREIGN, "\"p\": 1", "\"p\": 0"));
    FAILS(LKS_CORRUPT, "key file: n", changed(FOREIGN, "\"n\": 4096", "\"n\": -1"));
    FAILS(LKS_CORRUPT, "iv has 15",
          changed(FOREIGN, "e9ab26c9adf4b2a8eb150c44dae399e6", "e9ab26c9adf4b2a8eb150c44dae399"));
    FAILS(LKS_CORRUPT, "iv",
          changed(FOREIGN, "e9ab26c9adf4b2a8eb150c44dae399e6",
                  "e9ab26c9adf4b2a8eb150c44dae399e6e6"));
    FAILS(LKS_CORRUPT, "mac", changed(FOREIGN, "0640b4db", "0640b4dx"));
    FAILS(LKS_AUTH, "wrong password", changed(FOREIGN, "0640b4db", "0640b4dc"));
    FAILS(LKS_AUTH, "wrong password", changed(FOREIGN, "e7e8b2a7", "e7e8b2a8"));
    FAILS(LKS_CORRUPT, "not that of its key", changed(FOREIGN, "9d8A62f6", "9d8A62f7"));
    FAILS(LKS_CORRUPT, "not JSON", changed(FOREIGN, "{", ""));
    FAILS(LKS_REFUSED, "hmac-sha256", changed(PBKDF2, "hmac-sha256", "hmac-sha512"));
    FAILS(LKS_REFUSED, "rounds", changed(PBKDF2, "262144", "10000001"));
    FAILS(LKS_REFUSED, "rounds", changed(PBKDF2, "262144", "0"));
    OK(changed(FOREIGN, "\"crypto\"", "\"Crypto\""));
    OK(changed(FOREIGN, "\"9d8A62f6", "\"0x9d8A62f6"));
}

static void test_create(void **state)
{
    (void)state;
    uint8_t key[32], back[32], address[20];
    lks_buf path = {0}, found = {0};
    lks_keystore_entry *entries;
    size_t count;
    struct stat info;
    unhex_to(key, 32, KEY);
    OK(lks_keystore_create(&path, directory, key, "secret", 6, LKS_KEYSTORE_LIGHT));
    const char *name = lks_buf_text(&path) + strlen(directory) + 1;
    assert_int_equal(
        strlen(name),
        strlen("UTC--2024-01-02T03-04-05.000000006Z--008aeeda4d805471df9b2a5b0f38a0c3bcba786b"));
    assert_true(!strncmp(name, "UTC--20", 7) && name[34] == 'Z');
    assert_string_equal(name + 37, "008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    assert_int_equal(stat(lks_buf_text(&path), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    OK(lks_keystore_load(back, lks_buf_text(&path), "secret", 6));
    assert_memory_equal(back, key, 32);
    FAILS(LKS_AUTH, "wrong password for 0x008",
          lks_keystore_load(back, lks_buf_text(&path), "Secret", 6));
    assert_non_null(strstr(lks_error_message(), directory)); /* names the file */
    FAILS(LKS_REFUSED, "exists already",
          lks_keystore_create(NULL, directory, key, "secret", 6, LKS_KEYSTORE_LIGHT));
    OK(lks_keystore_list(&entries, &count, directory));
    assert_int_equal(count, 1);
    assert_hex(entries[0].address, 20, "008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    assert_string_equal(entries[0].path, lks_buf_text(&path));
    lks_keystore_list_free(entries, count);
    unhex_to(address, 20, "008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    OK(lks_keystore_find(&found, directory, address));
    assert_string_equal(lks_buf_text(&found), lks_buf_text(&path));
    address[0] = 1;
    FAILS(LKS_NOTFOUND, "no key file for 0x01", lks_keystore_find(&found, directory, address));
    lks_buf_free(&path);
    lks_buf_free(&found);
}

static void write_file(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Other files in the directory are passed over, and do no harm. */
static void test_list(void **state)
{
    (void)state;
    lks_keystore_entry *entries;
    size_t count;
    char path[200];
    char *large = malloc(70001);
    memset(large, ' ', 70000);
    large[70000] = 0;
    write_file("UTC--b", FOREIGN);
    write_file("no-address", SCRYPT);
    write_file("large", large);
    write_file("text", "hello");
    write_file("empty", "");
    write_file(".hidden", FOREIGN);
    write_file("old", "{\"version\":1,\"address\":\"9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\"}");
    snprintf(path, sizeof path, "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    OK(lks_keystore_list(&entries, &count, directory));
    assert_int_equal(count, 1);
    assert_hex(entries[0].address, 20, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
    lks_keystore_list_free(entries, count);
    free(large);
    snprintf(path, sizeof path, "%s/none", directory);
    FAILS(LKS_NOTFOUND, "none", lks_keystore_list(&entries, &count, path));
    uint8_t key[32];
    FAILS(LKS_NOTFOUND, "none", lks_keystore_load(key, path, "x", 1));
    snprintf(path, sizeof path, "%s/large", directory);
    FAILS(LKS_CORRUPT, "over 65536", lks_keystore_load(key, path, "x", 1));
}

static void test_cannot_write(void **state)
{
    (void)state;
    uint8_t key[32] = {1};
    char path[200];
    snprintf(path, sizeof path, "%s/a/b", directory);
    FAILS(LKS_IO, "cannot make the directory",
          lks_keystore_create(NULL, path, key, "x", 1, LKS_KEYSTORE_LIGHT));
    write_file("file", "");
    snprintf(path, sizeof path, "%s/file", directory);
    FAILS(LKS_IO, "cannot read the directory",
          lks_keystore_create(NULL, path, key, "x", 1, LKS_KEYSTORE_LIGHT));
    memset(key, 0, 32);
    FAILS(LKS_BADARGS, "not valid",
          lks_keystore_create(NULL, directory, key, "x", 1, LKS_KEYSTORE_LIGHT));
}

/* The file that we write says what geth's default says, and no two are alike. */
static void test_standard_cost(void **state)
{
    (void)state;
    uint8_t key[32] = {2}, back[32];
    lks_buf a = {0};
    lks_json doc;
    uint64_t n, r, p;
    OK(lks_keystore_encrypt(&a, key, "", 0, LKS_KEYSTORE_STANDARD));
    OK(lks_json_parse(&doc, lks_buf_text(&a), a.len, 100));
    OK(lks_json_u64(&doc, lks_json_path(&doc, 0, "crypto.kdfparams.n"), &n));
    OK(lks_json_u64(&doc, lks_json_path(&doc, 0, "crypto.kdfparams.r"), &r));
    OK(lks_json_u64(&doc, lks_json_path(&doc, 0, "crypto.kdfparams.p"), &p));
    assert_true(n == 262144 && r == 8 && p == 1);
    OK(lks_keystore_decrypt(back, lks_buf_text(&a), a.len, "", 0));
    assert_memory_equal(key, back, 32);
    lks_json_free(&doc);
    lks_buf_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test_setup_teardown(test_create, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_write, set_up, tear_down),
        cmocka_unit_test(test_standard_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
