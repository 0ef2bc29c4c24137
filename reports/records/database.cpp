#include "reports/records/database.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "cases/machine/readable_file.h"

namespace tieout {

namespace fs = std::filesystem;

namespace {

// Returns what the user should do about an error, or "".
const char* advice_on_database(int code) {
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
  switch (code & 0xff) {  // the low byte of an extended code is its basic code
    case SQLITE_FULL:
      return "the disk, or its owner's share of it, is full: make room there; what was written is intact";
    case SQLITE_CANTOPEN: return "name a file in a folder that is there and can be written";
    case SQLITE_READONLY: return "it may be read and not written: allow that (chmod u+w), or copy it to where you may";
    case SQLITE_PERM: return "name a place that can be written";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another process is writing it: wait for it, or name another file";
    case SQLITE_CONSTRAINT: return "another process has written to it in between: only one may work on a record";
    case SQLITE_NOTADB: return "this is not a run record";
    case SQLITE_INTERRUPT: return "it takes more steps than its size accounts for, and so is damaged: run again";
    case SQLITE_CORRUPT: return "the file is damaged or cut off: take a copy of it, or run again";
    case SQLITE_IOERR: return "the disk or the network behind it failed, or is full; what was written before is intact";
    default: return "";
  }
}

constexpr int kPatience = 10'000;      // timeout for another process's transaction, milliseconds
constexpr int kStepsAtOnce = 100'000;  // steps of SQLite's virtual machine between two checks of the limit

// Returns the error if SQLite would use a file that no Tieout has written as a part of the record; "" if there is none.
std::string foreign_neighbour(const std::string& file) {
  std::error_code error;
  if (fs::exists(file + "-wal", error)) {
    return file +
           "-wal lies beside it, which no Tieout writes: close the program that has opened the record, or move that "
           "file away";
  }
  // A journal can name another file that belongs to the same transaction, which SQLite would then delete.
  constexpr std::string_view kMagic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
  std::ifstream journal(file + "-journal", std::ios::binary);
  std::array<char, kMagic.size()> last{};
  journal.seekg(-static_cast<std::streamoff>(last.size()), std::ios::end);
  const std::streamoff at = journal.tellg();
  journal.read(last.data(), last.size());
  if (!journal || at == 0 || std::string_view(last.data(), last.size()) != kMagic) return {};
  return file + "-journal is of a transaction on several files, which no Tieout makes: move it away";
}

}  // namespace

class RecordCopy {
 public:
  RecordCopy() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "tieout-record-XXXXXX").string();
    if (!error && mkdtemp(name.data()) != nullptr) path_ = name;
  }
  RecordCopy(const RecordCopy&) = delete;
  RecordCopy& operator=(const RecordCopy&) = delete;
  ~RecordCopy() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  // Copies a record with its journal. Returns the path of the copy, or "" if that fails.
  [[nodiscard]] std::string copy(const std::string& record) const {
    if (path_.empty()) return {};
    const fs::path copied = path_ / "record";
    std::error_code error;
    for (const char* suffix : {"", "-journal"}) {
      fs::copy_file(record + suffix, copied.string() + suffix, error);
      if (!error) fs::permissions(copied.string() + suffix, fs::perms::owner_write, fs::perm_options::add, error);
      if (error) return {};
    }
    return copied.string();
  }

 private:
  fs::path path_;
};

std::string Row::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Database::Database(const fs::path& file, Mode mode) : file_(file.string()) { open(file, mode); }

void Database::open(const fs::path& file, Mode mode) {
  if (const std::string why = find_read_error(file); !why.empty()) return refuse(why + kNameARecord);
  std::error_code error;
  // The path is absolute, because SQLite gives some names a meaning.
  const std::string place = fs::absolute(file, error).string();
  if (const std::string why = foreign_neighbour(place); !why.empty()) return refuse(why);
  if (!connect(place, mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE)) return;
  const int read = sqlite3_exec(connection_.get(), "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr);
  if (read == SQLITE_READONLY_ROLLBACK) {
    connection_.reset();
    copy_ = std::make_unique<RecordCopy>();
    const std::string copied = copy_->copy(place);
    if (copied.empty())
      return refuse("its writer was killed, and there is no room for a copy in which to put it right");
    if (!connect(copied, SQLITE_OPEN_READWRITE)) return;
  }
  // SQLite opens a file without write permission for reading, and would report an error only at the first block, after
  // hours of work.
  if (mode == Mode::change && sqlite3_db_readonly(connection_.get(), "main") == 1) {
    const char* const todo = advice_on_database(SQLITE_READONLY);
    return refuse(std::string(sqlite3_errstr(SQLITE_READONLY)) + "; " + todo);
  }
  // Uses a rollback journal: a write-ahead log needs shared memory, which machines do not have on a network drive.
  if (mode == Mode::change) script("PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL;");
}

Database::Database() : file_("a record in memory") { connect(":memory:", SQLITE_OPEN_READWRITE); }
Database::Database(Database&&) noexcept = default;
Database::~Database() = default;

bool Database::connect(const std::string& file, int flags) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);
  if (code != SQLITE_OK) {
    fail(code);
    return false;
  }
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(file, error);
  harden(error ? 0 : static_cast<std::int64_t>(bytes));
  return true;
}

void Database::harden(std::int64_t file_bytes) {
  sqlite3* const connection = connection_.get();
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kPatience);
  for (const int off : {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
                        SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION}) {
    sqlite3_db_config(connection, off, 0, nullptr);
  }
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  constexpr std::array<std::pair<int, int>, 7> kLimits{{{SQLITE_LIMIT_LENGTH, 256 << 20},
                                                        {SQLITE_LIMIT_SQL_LENGTH, 1 << 16},
                                                        {SQLITE_LIMIT_COLUMN, 64},
                                                        {SQLITE_LIMIT_EXPR_DEPTH, 32},
                                                        {SQLITE_LIMIT_COMPOUND_SELECT, 2},
                                                        {SQLITE_LIMIT_ATTACHED, 0},
                                                        {SQLITE_LIMIT_WORKER_THREADS, 0}}};
  for (const auto& [limit, most] : kLimits) sqlite3_limit(connection, limit, most);
  constexpr std::int64_t kStepsAnyway = 100'000'000;
  constexpr std::int64_t kStepsAByte = 100;
  steps_ = std::make_unique<Steps>(Steps{.most = kStepsAnyway + kStepsAByte * file_bytes});
  sqlite3_progress_handler(
      connection, kStepsAtOnce,
      [](void* steps) {
        auto& [most, taken] = *static_cast<Steps*>(steps);
        return (taken += kStepsAtOnce) > most ? 1 : 0;
      },
      steps_.get());
  script("PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;");
}

std::string Database::bytes() {
  if (!error_.empty()) return {};
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> copy(sqlite3_serialize(connection_.get(), "main", &size, 0),
                                                             sqlite3_free);
  if (!copy) {
    fail(SQLITE_NOMEM);
    return {};
  }
  return {reinterpret_cast<const char*>(copy.get()), static_cast<std::size_t>(size)};
}

void Database::verify_pages() {
  if (!error_.empty()) return;
  std::int64_t pages = 0;
  std::int64_t page_bytes = 0;
  each("PRAGMA page_count", [&](const Row& row) { pages = row.integer(0); });
  each("PRAGMA page_size", [&](const Row& row) { page_bytes = row.integer(0); });
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  sqlite3_int64 size = -1;
  if (error_.empty() && (file == nullptr || file->pMethods == nullptr ||
                         file->pMethods->xFileSize(file, &size) != SQLITE_OK || size != pages * page_bytes)) {
    refuse("it is damaged: it has " + std::to_string(size) + " bytes, and should have " +
           std::to_string(pages * page_bytes));
  }
  each("PRAGMA quick_check(1)", [&](const Row& row) {
    if (row.text(0) != "ok") refuse("it is damaged: " + row.text(0));
  });
}

std::uint64_t Database::number(const std::string& text, int base) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    refuse("it is damaged: '" + text.substr(0, 40) + "' is no number");
  }
  return value;
}

Database::Statement Database::prepare(std::string_view sql) {
  if (!error_.empty()) return nullptr;
  steps_->taken = 0;
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
  steps_->taken = 0;
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

void Database::refuse(const std::string& why) {
  if (error_.empty()) error_ = file_ + ": " + why;
}

void Database::fail(int code) {
  const std::string what = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  const std::string todo = advice_on_database(code);
  refuse((todo.empty() ? what : what + "; " + todo) + (code == SQLITE_NOTADB ? kNameARecord : ""));
}

}  // namespace tieout
