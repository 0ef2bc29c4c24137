#pragma once
// Keeps threads that wait for work, because starting a thread takes longer than many layers take to compute.

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tieout {

class Workers {
 public:
  // Returns the workers of this process, which live as long as it does.
  [[nodiscard]] static Workers& shared();

  // Calls work(0), .., work(parts - 1) concurrently and returns when all calls are done. `work` must not throw. New
  // threads are started if the workers cannot be used: another thread is using them, or this process was forked off the
  // one that owns them.
  void run(int parts, const std::function<void(int)>& work);

  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

 private:
  Workers();
  ~Workers() = default;
  void start(int count);
  void serve(int part, std::uint32_t seen);

  pid_t owner_;
  std::mutex busy_;
  std::vector<std::thread> threads_;
  const std::function<void(int)>* work_ = nullptr;
  int parts_ = 0;
  std::atomic<std::uint32_t> round_{0};
  std::atomic<int> left_{0};  // workers that have not yet finished this round
};

}  // namespace tieout
