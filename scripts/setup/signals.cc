// A part of the TensorFlow addon: the thread that loads it, in which Node runs JavaScript and TensorFlow computes, leaves
// signals to the others, and so do the threads that TensorFlow starts.
//
// Some matrix products of oneDNN, which TensorFlow 2.21 uses on a CPU, borrow the stack pointer for an address in the
// heap. A signal that comes meanwhile writes its frame there: Stop in JupyterLab, or Ctrl-C, now and then destroyed the
// memory of a training (oneDNN's issue 4845; mended there by pull request 4855 of 2026, which this TensorFlow lacks).
// Node passes a signal on to JavaScript from whichever thread receives it; child processes start with none blocked.
#include <pthread.h>

#include <csignal>
#include <initializer_list>

namespace {

struct LeaveSignalsToOtherThreads {
  LeaveSignalsToOtherThreads() {
    sigset_t signals;
    sigemptyset(&signals);
    // Not SIGUSR1, which starts Node's debugger and which no other of its threads takes.
    for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGUSR2, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGWINCH})
      sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  }
} whenLoaded;

}  // namespace
