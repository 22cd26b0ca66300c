// SPDX-License-Identifier: GPL-2.0
/* apply: replace the configuration by that of a file, or change nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refuse.h"
#include "userctl.h"

#define TRIES	5

/* Where to tell what the kernel refuses of the statements of a file. */
struct refusals {
	struct source *source;
	const struct statement **order;
};

static void refused(const struct nl_error *error, void *data)
{
	struct refusals *refusals = data;

	/* Rules cannot find a pool whose own line is wrong. */
	if (refusals->source->lost_pool && error->has_field &&
	    error->field == FIELD_POOL)
		return;
	refuse_statement(refusals->source, refusals->order[error->index],
			 error);
}

/* Statements by kind, as one may need another that stands later in the file. */
static const struct statement **sort(const struct config *config)
{
	const struct statement **order;
	size_t i, n = 0;
	unsigned int kind;

	order = xrealloc(NULL, (config->count + 1) * sizeof(*order));
	for (kind = 0; kind < STATEMENT_KINDS; kind++)
		for (i = 0; i < config->count; i++)
			if (config->list[i].kind == kind)
				order[n++] = &config->list[i];
	return order;
}

/*
 * Returns 0, or -1 with everything noted in @source but what nl_error() holds.
 */
static int transact(struct nl *nl, struct source *source,
		    const struct config *config, bool dry_run)
{
	struct refusals refusals = { .source = source };
	int ret;

	/*
	 * Only inside a transaction are statements staged. Were it not open,
	 * each of them would take effect at once.
	 */
	if (nl_txn_begin(nl, true))
		return -1;
	refusals.order = sort(config);
	ret = nl_statements(nl, refusals.order, config->count, refused,
			    &refusals);
	free(refusals.order);
	/* What follows a wrong line is looked at, too, but not for use. */
	if (ret || source->errors)
		return -1;
	return nl_txn_commit(nl, dry_run);
}

static int apply(struct source *source, const struct config *config,
		 bool dry_run)
{
	struct nl *nl = nl_open();
	int i, ret = -1;

	if (!nl)
		return EXIT_REFUSED;
	/* Someone else's change came between, and ended the transaction. */
	for (i = 0; i < TRIES; i++) {
		ret = transact(nl, source, config, dry_run);
		if (!ret || nl_error(nl)->code != EBUSY)
			break;
	}
	if (ret && nl_error(nl)->code)
		source_error(source, 0, 0, "%s", nl_error(nl)->message);
	/* Closing the socket abandons what was not committed. */
	nl_close(nl);
	return ret ? EXIT_REFUSED : EXIT_DONE;
}

static FILE *open_file(const char *name)
{
	FILE *file;

	if (!strcmp(name, "-"))
		return stdin;
	file = fopen(name, "re");
	if (!file)
		fprintf(stderr, "%s: cannot open: %s\n", name,
			strerror(errno));
	return file;
}

int apply_run(const struct command *command, int argc, char **argv)
{
	const char *name = NULL;
	struct config config;
	struct source source;
	bool dry_run = false;
	FILE *file;
	int i, ret;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--dry-run")) {
			dry_run = true;
			continue;
		}
		if (name || (argv[i][0] == '-' && argv[i][1]))
			return usage(command);
		name = argv[i];
	}
	if (!name)
		return usage(command);
	file = open_file(name);
	if (!file)
		return EXIT_REFUSED;
	source_file(&source, file == stdin ? "<stdin>" : name);
	config_read(&source, file, &config);
	ret = apply(&source, &config, dry_run);
	if (file != stdin)
		fclose(file);
	config_free(&config);
	source_close(&source);
	return ret;
}
