// Asks TensorFlow's own loader whether it finds the libraries that a GPU needs, which it decides before it looks for a
// GPU: the answer is the same on a machine without one. Built and called by gpu-libraries.test.mjs.
#include <node_api.h>

#include <string>

#include "absl/status/status.h"

namespace tsl::internal {
struct DsoLoader {
  static absl::Status TryDlopenCUDALibraries();
};
}  // namespace tsl::internal

NAPI_MODULE_INIT() {
  const std::string answer = tsl::internal::DsoLoader::TryDlopenCUDALibraries().ToString();
  napi_value text;
  napi_create_string_utf8(env, answer.data(), answer.size(), &text);
  return text;
}
