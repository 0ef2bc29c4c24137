#pragma once
// SQLite, as run records need it. The first error stays, in words with the file's name and what to do, and makes everything
// after it do nothing: a sequence of steps is written down plainly and asked once, at its end.

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tieout {

// One row of an answer. Columns count from 0; what is null reads as 0 or "".
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] double real(int column) const { return sqlite3_column_double(statement_, column); }
  [[nodiscard]] std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

// A folder of its own, in which a copy of a record lies; it goes with this object.
class RecordCopy;

// A file that comes from elsewhere is opened with everything off that a record does not need: views, triggers, functions in
// its schema, large values. No statement takes more steps than the size of the file accounts for.
class Database {
 public:
  // read: the file is not changed. Where a writer was killed within a transaction, a copy of the file is put right and read.
  enum class Mode { read, change };

  Database(const std::filesystem::path& file, Mode mode);
  Database();  // an empty one in memory
  Database(Database&&) noexcept;
  ~Database();

  // The database as the bytes of a file.
  [[nodiscard]] std::string bytes();

  // Refuses a file that is cut off or whose pages are damaged: damage is met late otherwise. After a statement that has read,
  // within the same transaction.
  void verify_pages();

  // 64 bits do not fit SQLite's integers: the number that a text is; refuses what is none.
  [[nodiscard]] std::uint64_t number(const std::string& text, int base);

  // One statement; ?1, ?2, ... are the values.
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

  // Several statements without values.
  void script(const std::string& sql);

  // Makes an error of what the caller found wrong with the file.
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
  // Whether it could be opened; error() says why not.
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
  std::unique_ptr<RecordCopy> copy_;  // before the connection, so that it goes after it
  std::unique_ptr<Steps> steps_;      // likewise; where it lies does not change
  std::unique_ptr<sqlite3, Close> connection_;
  std::string error_;
};

}  // namespace tieout
