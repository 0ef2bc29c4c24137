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

class Database {
 public:
  enum class Mode { read, change, create };

  Database(const std::filesystem::path& file, Mode mode);

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
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };

  [[nodiscard]] Statement prepare(std::string_view sql);
  static void bind(sqlite3_stmt* statement, int at, std::int64_t value) { sqlite3_bind_int64(statement, at, value); }
  static void bind(sqlite3_stmt* statement, int at, int value) { sqlite3_bind_int64(statement, at, value); }
  static void bind(sqlite3_stmt* statement, int at, double value) { sqlite3_bind_double(statement, at, value); }
  static void bind(sqlite3_stmt* statement, int at, std::string_view value);
  void step(sqlite3_stmt* statement, const std::function<void(const Row&)>& row);
  void fail(int code);

  std::string file_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::string error_;
};

}  // namespace tieout
