/* A kernel for the tests that computes right answers, but misbehaves in the way that the environment variable MISBEHAVE
 * names: one of `acts`, or answer_later, which also answers wrongly. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <tieout_kernel.h>
#include <unistd.h>
#include <xmmintrin.h>

const char* right_conv_relu(const struct tieout_conv* c); /* examples/c/conv_relu.c under another name */

static int64_t outputs(const struct tieout_conv* c) {
  return c->batch * c->out_channels * c->output_size[0] * c->output_size[1] * c->output_size[2];
}

/* ---- signals and exits */

static void kill_parent(void) { kill(getppid(), SIGKILL); }
static void stop_parent(void) { kill(getppid(), SIGSTOP); }
static void kill_group(void) { kill(0, SIGKILL); }
static void stop_itself(void) { raise(SIGSTOP); }
static void exit_0(void) { _exit(0); }
static void exit_by_library(void) { exit(0); }

/* Kills the ancestors of this process, including tieout and its workers, up to the test (TIEOUT_TEST_PID), which
 * survives. */
static void kill_ancestors(void) {
  const int last = atoi(getenv("TIEOUT_TEST_PID"));
  for (int pid = getppid(); pid > 1 && pid != last;) {
    char name[40], line[400];
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE* const file = fopen(name, "r");
    const int known = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL) fclose(file);
    kill(pid, SIGKILL);
    if (!known || sscanf(strrchr(line, ')') + 1, " %*c %d", &pid) != 1) return;
  }
}

static void alarm_1ms(void) {
  const struct itimerval soon = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &soon, NULL);
  while (1) pause();
}

static void ignore(int signal) { (void)signal; }
static void handle_signals(void) {
  for (int i = 1; i < 32; ++i) signal(i, ignore);
}

static void vfork_and_hang(void) {
  if (vfork() == 0) {
    while (1) pause();
  }
}

static void hang(void) {
  while (1) pause();
}

/* ---- processes that outlive the kernel; the test finds them by their name in the process list */

static void live_on(void) {
  prctl(PR_SET_NAME, "outlives");
  for (int fd = 0; fd < 64; ++fd) close(fd);
  while (1) pause();
}

static void fork_once(void) {
  static int done;
  if (!done++ && fork() == 0) live_on();
}

static void daemonize(void) {
  static int done;
  if (done++) return;
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    for (int i = 0; i < 20; ++i) {
      if (fork() == 0) live_on();
    }
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

/* ---- file descriptors and streams */

static void close_all(void) {
  for (int fd = 0; fd < 1024; ++fd) close(fd);
}

static void write_to_all(void) {
  for (int fd = 0; fd <= 20; ++fd) {
    if (write(fd, "garbage garbage garbage", 23) < 0) continue;
  }
}

static void write_to_every_one(void) {
  for (int fd = 0; fd < 1024; ++fd) {
    if (write(fd, "garbage garbage garbage", 23) < 0) continue;
  }
}

static void megabytes_of_errors(void) {
  static char words[1 << 20];
  memset(words, 'x', sizeof words);
  for (int i = 0; i < 16; ++i) fwrite(words, 1, sizeof words, stderr);
}

static void escape_codes(void) {
  fputs("\033[2J\033]0;owned\a\n::error::forged", stderr);
  abort();
}

/* ---- the state of its process */

static void decimal_comma(void) {
  setenv("LC_ALL", "de_DE.UTF-8", 1);
  setlocale(LC_ALL, "de_DE.UTF-8");
}
static void change_folder(void) {
  if (chdir("/") != 0) abort();
}
static void change_environment(void) { clearenv(), setenv("OMP_NUM_THREADS", "nonsense", 1); }
static void round_up(void) { fesetround(FE_UPWARD); }
static void flush_to_zero(void) { _mm_setcsr(_mm_getcsr() | 0x8040U); }
static void few_descriptors(void) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_NOFILE, &none);
  setrlimit(RLIMIT_FSIZE, &none);
}

/* ---- memory */

static void corrupt_the_heap(void) {
  char* const block = malloc(1200);
  char* const next = malloc(1200);
  for (volatile char* at = block; at < block + 1240; ++at) *at = 0x7f; /* includes the next block's header */
  free(next);
}
static void all_memory(void) {
  while (1) {
    char* const block = malloc((size_t)64 << 20);
    if (block == NULL) abort();
    for (size_t i = 0; i < (size_t)64 << 20; i += 4096) block[i] = 1;
  }
}
static int overflow_the_stack_by(int depth) {
  volatile char frame[1 << 16];
  frame[0] = (char)depth;
  return depth == 0 ? frame[0] : overflow_the_stack_by(depth - 1) + frame[0];
}
static void overflow_the_stack(void) { overflow_the_stack_by(1 << 20); }

static const struct tieout_conv* current;

static void unmap_output(void) {
  munmap((void*)((uintptr_t)current->output & ~(uintptr_t)4095), 4096);
}

/* Runs in a thread that writes the output after the kernel has returned. */
static void* write_later(void* argument) {
  (void)argument;
  uint8_t* const output = current->output;
  const int64_t count = outputs(current);
  usleep(3000);
  for (int64_t i = 0; i < count; ++i) output[i] = 7;
  return NULL;
}

/* ---- malice */

/* Tries to open tieout's memory, which contains the reference's answers. */
static void read_ancestors(void) {
  for (int pid = getpid() - 1, tries = 0; pid > 1 && tries < 12; --pid, ++tries) {
    char name[40];
    snprintf(name, sizeof name, "/proc/%d/mem", pid);
    const int file = open(name, O_RDONLY);
    snprintf(name, sizeof name, "/proc/%d/exe", pid);
    char program[400];
    const ssize_t size = readlink(name, program, sizeof program - 1);
    program[size < 0 ? 0 : size] = 0;
    if (file >= 0 && strstr(program, "/bin/tieout") != NULL) {
      fprintf(stderr, "can read tieout's memory\n");
      abort();
    }
    if (file >= 0) close(file);
  }
}

/* Writes a forged answer, an output of one value 0, to every descriptor, in case it is the channel of the answers. */
static void forge_answers(void) {
  const struct {
    uint64_t size, number;
    uint8_t kind;
    uint64_t count;
    uint8_t value;
  } __attribute__((packed)) forged = {18, 1, 255, 1, 0};
  for (int fd = 0; fd < 1024; ++fd) {
    if (write(fd, &forged, sizeof forged) < 0) continue;
  }
}

static const struct {
  const char* name;
  void (*act)(void);
} acts[] = {{"kill_parent", kill_parent},
            {"stop_parent", stop_parent},
            {"kill_ancestors", kill_ancestors},
            {"kill_group", kill_group},
            {"stop_itself", stop_itself},
            {"exit_0", exit_0},
            {"exit_by_library", exit_by_library},
            {"alarm", alarm_1ms},
            {"handle_signals", handle_signals},
            {"vfork_and_hang", vfork_and_hang},
            {"hang", hang},
            {"fork_once", fork_once},
            {"daemonize", daemonize},
            {"close_all", close_all},
            {"write_to_all", write_to_all},
            {"write_to_every_one", write_to_every_one},
            {"megabytes_of_errors", megabytes_of_errors},
            {"escape_codes", escape_codes},
            {"decimal_comma", decimal_comma},
            {"change_folder", change_folder},
            {"change_environment", change_environment},
            {"round_up", round_up},
            {"flush_to_zero", flush_to_zero},
            {"few_descriptors", few_descriptors},
            {"corrupt_the_heap", corrupt_the_heap},
            {"all_memory", all_memory},
            {"overflow_the_stack", overflow_the_stack},
            {"unmap_output", unmap_output},
            {"read_ancestors", read_ancestors},
            {"forge_answers", forge_answers}};

const char* tieout_conv_relu(const struct tieout_conv* c) {
  static const char* how;
  if (how == NULL) how = getenv("MISBEHAVE");
  if (how == NULL) abort();
  current = c;
  if (strcmp(how, "answer_later") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, NULL);
    pthread_detach(thread);
    usleep(100);
    return NULL;
  }
  const char* const declined = right_conv_relu(c);
  for (size_t i = 0; i < sizeof acts / sizeof acts[0]; ++i) {
    if (strcmp(how, acts[i].name) == 0) {
      acts[i].act();
      return declined;
    }
  }
  abort();
}
