#include "tests/support/spf_suite/spf_suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "common/base/arena.h"
#include "tests/support/spf_suite/zone_text.h"

/* Scenarios of the published suite: about fifteen. */
#define SCENARIOS_MAX 100

struct loaded {
    struct spf_suite suite; /* first, so that the public pointer leads back here */
    struct am_arena *arena;
    struct spf_suite_scenario scenarios[SCENARIOS_MAX];
};

static const char *suite_path(void)
{
    static char path[4096];
    const char *directory = getenv("AUTHMILTER_SUITES");
    if (directory == NULL || *directory == '\0')
        directory = AUTHMILTER_SUITES_DIR;
    snprintf(path, sizeof(path), "%s/rfc7208-tests.yml", directory);
    return path;
}

static yaml_node_t *member(yaml_document_t *document, yaml_node_t *mapping, const char *key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *name = yaml_document_get_node(document, pair->key);
        if (name->type == YAML_SCALAR_NODE &&
            strcmp((const char *)name->data.scalar.value, key) == 0)
            return yaml_document_get_node(document, pair->value);
    }
    return NULL;
}

static struct am_span copy_scalar(struct loaded *loaded, const yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE)
        return am_span_of(NULL, 0);
    size_t len = node->data.scalar.length;
    const char *text =
        am_arena_copy(loaded->arena, am_span_of((const char *)node->data.scalar.value, len));
    return am_span_of(text, len);
}

/* "result: fail" or "result: [fail, permerror]" */
static const char *const *copy_results(struct loaded *loaded, yaml_document_t *document,
                                       yaml_node_t *node)
{
    size_t count = 1;
    if (node->type == YAML_SEQUENCE_NODE)
        count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    const char **words = am_arena_alloc(loaded->arena, (count + 1) * sizeof(*words));
    if (words == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *word =
            node->type == YAML_SEQUENCE_NODE
                ? yaml_document_get_node(document, node->data.sequence.items.start[i])
                : node;
        words[i] = copy_scalar(loaded, word).ptr;
    }
    return words;
}

static bool read_case(struct loaded *loaded, yaml_document_t *document, yaml_node_t *name,
                      yaml_node_t *body, struct spf_suite_case *test)
{
    yaml_node_t *result = member(document, body, "result");
    test->name = copy_scalar(loaded, name).ptr;
    test->host = copy_scalar(loaded, member(document, body, "host")).ptr;
    test->helo = copy_scalar(loaded, member(document, body, "helo"));
    test->mailfrom = copy_scalar(loaded, member(document, body, "mailfrom"));
    test->explanation = copy_scalar(loaded, member(document, body, "explanation")).ptr;
    test->results = result == NULL ? NULL : copy_results(loaded, document, result);
    return test->name != NULL && test->host != NULL && test->results != NULL;
}

static bool read_cases(struct loaded *loaded, yaml_document_t *document, yaml_node_t *tests,
                       struct spf_suite_scenario *scenario)
{
    yaml_node_pair_t *start = tests->data.mapping.pairs.start;
    size_t count = (size_t)(tests->data.mapping.pairs.top - start);
    struct spf_suite_case *cases = am_arena_alloc(loaded->arena, (count + 1) * sizeof(*cases));
    if (cases == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_case(loaded, document, yaml_document_get_node(document, start[i].key),
                       yaml_document_get_node(document, start[i].value), &cases[i]))
            return false;
    scenario->cases = cases;
    scenario->case_count = count;
    return true;
}

static bool read_scenario(struct loaded *loaded, yaml_document_t *document, yaml_node_t *root,
                          struct spf_suite_scenario *scenario)
{
    yaml_node_t *tests = member(document, root, "tests");
    yaml_node_t *zone = member(document, root, "zonedata");
    if (tests == NULL || tests->type != YAML_MAPPING_NODE || zone == NULL ||
        zone->type != YAML_MAPPING_NODE)
        return false;
    struct am_buf text;
    am_buf_init(&text, 0);
    spf_suite_write_zone(document, zone, &text);
    scenario->zone = text.failed ? NULL : am_arena_copy(loaded->arena, am_buf_span(&text));
    am_buf_fini(&text);
    scenario->description = copy_scalar(loaded, member(document, root, "description")).ptr;
    return scenario->zone != NULL && scenario->description != NULL &&
           read_cases(loaded, document, tests, scenario);
}

static bool read_documents(struct loaded *loaded, yaml_parser_t *parser, const char *path,
                           struct am_problem *problem)
{
    for (;;) {
        yaml_document_t document;
        if (yaml_parser_load(parser, &document) == 0)
            return am_problem_set(problem, "%s: line %zu: %s", path, parser->problem_mark.line + 1,
                                  parser->problem);
        yaml_node_t *root = yaml_document_get_root_node(&document);
        bool more = root != NULL && loaded->suite.scenario_count < SCENARIOS_MAX;
        bool good = !more || read_scenario(loaded, &document, root,
                                           &loaded->scenarios[loaded->suite.scenario_count]);
        yaml_document_delete(&document);
        if (!good)
            return am_problem_set(problem, "%s: scenario %zu is not as expected", path,
                                  loaded->suite.scenario_count + 1);
        if (!more)
            return true;
        loaded->suite.scenario_count++;
    }
}

static const struct spf_suite *load(const char *path, struct am_problem *problem)
{
    FILE *file = fopen(path, "rb");
    struct loaded *loaded = calloc(1, sizeof(*loaded));
    yaml_parser_t parser;
    bool good = false;
    if (file == NULL) {
        am_problem_set(problem, "%s: %s", path, strerror(errno));
    } else if (loaded == NULL || (loaded->arena = am_arena_new(65536, 0)) == NULL ||
               yaml_parser_initialize(&parser) == 0) {
        am_problem_set(problem, "out of memory");
    } else {
        loaded->suite.scenarios = loaded->scenarios;
        yaml_parser_set_input_file(&parser, file);
        good = read_documents(loaded, &parser, path, problem);
        yaml_parser_delete(&parser);
    }
    if (file != NULL)
        fclose(file);
    if (good)
        return &loaded->suite;
    spf_suite_free((const struct spf_suite *)loaded);
    return NULL;
}

const struct spf_suite *spf_suite_open(int *status)
{
    struct am_problem problem;
    const char *path = suite_path();

    if (access(path, R_OK) != 0) {
        printf("skipped: the RFC 7208 suite is not at %s (set AUTHMILTER_SUITES)\n", path);
        *status = 77;
        return NULL;
    }
    const struct spf_suite *suite = load(path, &problem);
    if (suite == NULL)
        fprintf(stderr, "%s\n", problem.text);
    *status = suite == NULL;
    return suite;
}

void spf_suite_free(const struct spf_suite *suite)
{
    if (suite == NULL)
        return;
    struct loaded *loaded = (struct loaded *)suite;
    am_arena_free(loaded->arena);
    free(loaded);
}

bool spf_suite_allows(const struct spf_suite_case *test, const char *result)
{
    for (const char *const *word = test->results; *word != NULL; word++)
        if (strcmp(*word, result) == 0)
            return true;
    return false;
}
