#pragma once
// The tables of a run record: what a run counts, as rows and back, and the digest over it.

#include <cstdint>

#include "reports/database.h"
#include "reports/run_summary.h"

namespace tieout {

// Begins an empty database: tables, and what tells a run record from other SQLite files. Inside a transaction.
void create_tables(Database& database);

// Refuses what is not a run record of this version, has other tables than create_tables() makes, or is cut off or damaged.
// Inside a transaction that has read.
void verify_tables(Database& database);

// The row of the run and its classes; in create_tables()' database.
void insert_run(Database& database, const RunSummary& run);

// The times of the run, and whether it came to its end.
void update_times(Database& database, const RunSummary& run);

// Writes total's values of everything that `changed` counts.
void write_counts(Database& database, const RunSummary& changed, const RunSummary& total);

// Everything that insert_run(), update_times() and write_counts() write.
[[nodiscard]] RunSummary read_run(Database& database);

// Over everything that read_run() reads.
[[nodiscard]] std::uint64_t digest_of(const RunSummary& run);

}  // namespace tieout
