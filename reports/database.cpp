#include "reports/database.h"

namespace tieout {
namespace {

// What to do, for the errors that users meet.
const char* advice(int code) {
  switch (code) {
    case SQLITE_READONLY_DBMOVED:
      return "it was moved or removed while it was open: put it back where it was, with its -journal if there is one";
    case SQLITE_READONLY_ROLLBACK:
    case SQLITE_READONLY_RECOVERY:
    case SQLITE_READONLY_CANTINIT:
      return "its writer was killed, and what that left has to be put right first: open it once where it can be "
             "written";
    case SQLITE_READONLY_DIRECTORY:
      return "its folder cannot be written: allow that, or copy the file to one that can be";
    default: break;
  }
  switch (code & 0xff) {  // the extended codes' first byte
    case SQLITE_FULL:
      return "the disk, or its owner's share of it, is full: make room there; what was written is intact";
    case SQLITE_CANTOPEN: return "name a file in a folder that is there and can be written";
    case SQLITE_READONLY: return "it may be read and not written: allow that (chmod u+w), or copy it to where you may";
    case SQLITE_PERM: return "name a place that can be written";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another process is writing it: wait for it, or name another file";
    case SQLITE_CONSTRAINT: return "another process has written to it in between: only one may work on a record";
    case SQLITE_NOTADB: return "this is not a run record";
    case SQLITE_CORRUPT: return "the file is damaged or cut off: take a copy of it, or run again";
    case SQLITE_IOERR: return "the disk or the network behind it failed, or is full; what was written before is intact";
    default: return "";
  }
}

constexpr int kPatience = 10'000;  // milliseconds for another process to finish its transaction

}  // namespace

std::string Row::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Database::Database(const std::filesystem::path& file, Mode mode) : file_(file.string()) {
  const int flags = mode == Mode::read     ? SQLITE_OPEN_READONLY
                    : mode == Mode::change ? SQLITE_OPEN_READWRITE
                                           : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(file_.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK) {
    fail(code);
    return;
  }
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kPatience);
  // SQLite opens what may not be written for reading, and would tell at the first block, hours of work later.
  if (mode != Mode::read && sqlite3_db_readonly(connection, "main") == 1) {
    const char* const todo = advice(SQLITE_READONLY);
    refuse(std::string(sqlite3_errstr(SQLITE_READONLY)) + "; " + todo);
    return;
  }
  // A rollback journal and not a write-ahead log, which needs memory that is shared between machines on a network's disk.
  if (mode != Mode::read) script("PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL;");
}

Database::Statement Database::prepare(std::string_view sql) {
  if (!error_.empty()) return nullptr;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return Statement(statement);
}

void Database::bind(sqlite3_stmt* statement, int at, std::string_view value) {
  sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
}

void Database::step(sqlite3_stmt* statement, const std::function<void(const Row&)>& row) {
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW && error_.empty(); code = sqlite3_step(statement)) row(Row(statement));
  if (code != SQLITE_DONE && error_.empty()) fail(code);
}

void Database::script(const std::string& sql) {
  if (!error_.empty()) return;
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Database::refuse(const std::string& why) {
  if (error_.empty()) error_ = file_ + ": " + why;
}

void Database::fail(int code) {
  const std::string what = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  const std::string todo = advice(code);
  refuse(todo.empty() ? what : what + "; " + todo);
}

}  // namespace tieout
