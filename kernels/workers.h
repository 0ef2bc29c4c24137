#pragma once
// Threads that wait for work: to start one takes longer than many a layer.

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
  // Those of this process. They live as long as it does.
  [[nodiscard]] static Workers& shared();

  // work(0), .., work(parts - 1) at the same time; returns when all are done. work must not throw. Where the workers are not to be
  // had, because another thread has them or the process was forked off theirs, threads are started.
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
  std::atomic<int> left_{0};  // of the workers in this round
};

}  // namespace tieout
