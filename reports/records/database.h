#pragma once
// A wrapper of SQLite for run records. The first error is kept as a message with the file's name and what to do, and
// makes every later call do nothing. Callers can therefore run a sequence of steps and check error() once, at its end.

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tieout {

// The advice of messages on a path that is not a run record.
inline constexpr const char* kNameARecord =
    "; name a run record, as tieout fuzz --record FILE and tieout campaign --dir FOLDER write it";

// One row of a result. Columns count from 0; NULL reads as 0 or "".
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] double real(int column) const { return sqlite3_column_double(statement_, column); }
  [[nodiscard]] std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

// A temporary folder with a copy of a record, which the destructor removes.
class RecordCopy;

// A connection to a database file. Files may come from an untrusted source: every feature of SQLite that a record does
// not need is off, such as views, triggers, functions in the schema and large values, and no statement may take more
// steps than a record of the file's size needs.
class Database {
 public:
  // read: the file is not changed. If a writer was killed within a transaction, a copy of the file is repaired and
  // read.
  enum class Mode { read, change };

  Database(const std::filesystem::path& file, Mode mode);
  Database();  // creates an empty database in memory
  Database(Database&&) noexcept;
  ~Database();

  // Returns the database in the bytes of a database file, or nothing after an error.
  [[nodiscard]] std::string bytes();

  // Sets an error if the file is cut off or has damaged pages, which SQLite detects only when it reads them. It must be
  // called after a statement that has read, within the same transaction.
  void verify_pages();

  // Returns the number that a text represents; sets an error if it represents none. Numbers of 64 unsigned bits are
  // stored as texts, because SQLite's integers are signed.
  [[nodiscard]] std::uint64_t number(const std::string& text, int base);

  // Runs one statement. The values are bound to ?1, ?2, ...
  template <typename... Values>
  void run(std::string_view sql, const Values&... values) {
    each(sql, [](const Row&) {}, values...);
  }

  template <typename... Values>
  void each(std::string_view sql, const std::function<void(const Row&)>& row, const Values&... values) {
    const Statement statement = prepare(sql);
    if (statement == nullptr) return;
    int at = 0;
    (bind(statement.get(), ++at, values), ...);
    step(statement.get(), row);
  }

  // Runs several statements without values.
  void script(const std::string& sql);

  // Sets an error that the caller found in the file.
  void refuse(const std::string& why);

  [[nodiscard]] const std::string& error() const { return error_; }
  void forget_error() { error_.clear(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct Steps {
    std::int64_t most = 0, taken = 0;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };

  void open(const std::filesystem::path& file, Mode mode);
  // Opens the connection. Returns false if that fails; error() then has the reason.
  bool connect(const std::string& file, int flags);
  void harden(std::int64_t file_bytes);
  [[nodiscard]] Statement prepare(std::string_view sql);
  static void bind(sqlite3_stmt* statement, int at, std::int64_t value) { sqlite3_bind_int64(statement, at, value); }
  static void bind(sqlite3_stmt* statement, int at, int value) { sqlite3_bind_int64(statement, at, value); }
  static void bind(sqlite3_stmt* statement, int at, double value) { sqlite3_bind_double(statement, at, value); }
  static void bind(sqlite3_stmt* statement, int at, std::string_view value);
  void step(sqlite3_stmt* statement, const std::function<void(const Row&)>& row);
  void fail(int code);

  std::string file_;
  std::unique_ptr<RecordCopy> copy_;  // declared before the connection, so that it is destroyed after it
  std::unique_ptr<Steps> steps_;      // also declared before; SQLite keeps its address, which must not change
  std::unique_ptr<sqlite3, Close> connection_;
  std::string error_;
};

}  // namespace tieout
