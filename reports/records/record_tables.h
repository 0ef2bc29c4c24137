#pragma once
// Converts between the counts of a run and the tables of a run record, and computes the digest of the counts.

#include <cstdint>

#include "reports/data/run_summary.h"
#include "reports/records/database.h"

namespace tieout {

// Creates the tables in an empty database, and the numbers that distinguish run records from other SQLite files. Must
// be called inside a transaction.
void create_tables(Database& database);

// Sets an error if the database is no run record of this version, has other tables than create_tables() makes, is cut
// off or is damaged. Must be called inside a transaction that has read.
void verify_tables(Database& database);

// Inserts the row of the run and its classes. The tables must be those of create_tables().
void insert_run(Database& database, const RunSummary& run);

// Updates the times of the run, and whether it has finished.
void update_times(Database& database, const RunSummary& run);

// Writes the counts of `total` for every key that has a count in `changed`.
void write_counts(Database& database, const RunSummary& changed, const RunSummary& total);

// Reads everything that insert_run(), update_times() and write_counts() write.
// Writes the causes of a run, and its cases by cause, in place of those that the record has.
void replace_causes(Database& database, const RunSummary& run);

[[nodiscard]] RunSummary read_run(Database& database);

// Returns a digest of everything that read_run() reads.
[[nodiscard]] std::uint64_t digest_of(const RunSummary& run);

}  // namespace tieout
